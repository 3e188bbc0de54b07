#ifndef CCONFINEMENT_H
#define CCONFINEMENT_H

/// Which system calls a program may not make.
enum confinement_filter {
  /// All may be made.
  CONFINEMENT_OPEN = 0,
  /// No network, no shared memory that outlives it, no look into other processes; applied to the program.
  CONFINEMENT_NO_NETWORK = 1,
  /// Besides, no other process: threads alone; applied to the program.
  CONFINEMENT_ONE_PROCESS = 2,
  /// As the former, but only laid on descriptor 9, for a sandbox to apply.
  CONFINEMENT_ONE_PROCESS_ON_DESCRIPTOR = 3,
};

/// What a program is held to; -1 stands for no limit, a null pointer for nothing.
struct confinement {
  /// The user and group to become; -1 to stay.
  long long user;
  /// The folder that becomes the root.
  const char *root;
  /// The folder to start in.
  const char *folder;
  long long processor_seconds;
  long long memory_bytes;
  long long file_bytes;
  long long processes;
  long long descriptors;
  enum confinement_filter filter;
};

/// Becomes the program with these limits and this environment; returns only if that fails, with what could not be done.
const char *confine_and_execute(const struct confinement *limits, char *const arguments[], char *const environment[]);

#endif
