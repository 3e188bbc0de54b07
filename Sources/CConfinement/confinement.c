#define _GNU_SOURCE
#include "CConfinement.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

// A limit cannot be raised above what holds already; a lower one is as good.
static int limit(int resource, long long value) {
  if (value < 0) return 0;
  struct rlimit now;
  if (getrlimit(resource, &now) != 0) return -1;
  rlim_t wanted = (rlim_t)value;
  if (now.rlim_max != RLIM_INFINITY && wanted > now.rlim_max) wanted = now.rlim_max;
  struct rlimit next = {.rlim_cur = wanted, .rlim_max = wanted};
  // One second between SIGXCPU, which tells why, and SIGKILL.
  if (resource == RLIMIT_CPU && (now.rlim_max == RLIM_INFINITY || now.rlim_max > wanted)) next.rlim_max = wanted + 1;
  return setrlimit(resource, &next);
}

#ifdef __linux__

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filter of system calls does not know this processor"
#endif

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define DENIED(error) RETURN(SECCOMP_RET_ERRNO | (error))
#define DENY(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), DENIED(EPERM)

// Calls of another architecture would pass by numbers that mean something else.
static struct sock_filter one_process[] = {
    FIELD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    FIELD(nr),
#if defined(__x86_64__)
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
    DENIED(EPERM),
    DENY(fork),
    DENY(vfork),
#endif
    // The C library then falls back to clone, whose flags can be read.
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
    DENIED(ENOSYS),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
    FIELD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
    DENIED(EPERM),
    FIELD(nr),
#define COMMON                                                                                                     \
  DENY(socket), DENY(io_uring_setup), DENY(shmget), DENY(semget), DENY(msgget), DENY(mq_open), DENY(ptrace),       \
      DENY(process_vm_readv), DENY(process_vm_writev), DENY(pidfd_getfd), DENY(userfaultfd),                       \
      DENY(perf_event_open), DENY(bpf), DENY(keyctl), DENY(add_key), DENY(request_key), DENY(unshare),             \
      DENY(setns), DENY(mount), DENY(umount2), DENY(pivot_root), DENY(chroot), DENY(open_by_handle_at),            \
      RETURN(SECCOMP_RET_ALLOW)
    COMMON,
};

static struct sock_filter no_network[] = {
    FIELD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    FIELD(nr),
#if defined(__x86_64__)
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
    DENIED(EPERM),
#endif
    COMMON,
};

static int lay_filter_on(int descriptor) {
  int file = memfd_create("filter", 0);
  if (file < 0 || write(file, one_process, sizeof one_process) != sizeof one_process) return -1;
  if (lseek(file, 0, SEEK_SET) != 0 || dup2(file, descriptor) != descriptor) return -1;
  return file == descriptor ? 0 : close(file);
}

static int apply(enum confinement_filter filter) {
  struct sock_fprog program = {
      .len = filter == CONFINEMENT_NO_NETWORK ? sizeof no_network / sizeof *no_network
                                              : sizeof one_process / sizeof *one_process,
      .filter = filter == CONFINEMENT_NO_NETWORK ? no_network : one_process};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int become(uid_t user) {
  if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0) return -1;
  return setresuid(user, user, user);
}

static void die_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

#else

static int lay_filter_on(int descriptor) {
  errno = ENOSYS;
  return -1;
}

static int apply(enum confinement_filter filter) {
  errno = ENOSYS;
  return -1;
}

static int become(uid_t user) { return setgroups(0, NULL) || setgid(user) || setuid(user) ? -1 : 0; }

static void die_with_parent(void) {}

#endif

const char *confine_and_execute(const struct confinement *limits, char *const arguments[], char *const environment[]) {
  int on_descriptor = limits->filter == CONFINEMENT_ONE_PROCESS_ON_DESCRIPTOR;
  for (int descriptor = 4; descriptor < 1024; descriptor++) close(descriptor);
  if (on_descriptor && lay_filter_on(9) != 0) return "make the filter of system calls";
  if (limits->root && (chdir(limits->root) != 0 || chroot(".") != 0)) return "change the root folder";
  if (limits->folder && chdir(limits->folder) != 0) return "enter its folder";
  if (limit(RLIMIT_CORE, 0) != 0 || limit(RLIMIT_CPU, limits->processor_seconds) != 0 ||
      limit(RLIMIT_AS, limits->memory_bytes) != 0 || limit(RLIMIT_FSIZE, limits->file_bytes) != 0 ||
      limit(RLIMIT_NOFILE, limits->descriptors) != 0 || limit(RLIMIT_NPROC, limits->processes) != 0)
    return "set limits";
  if (limits->user >= 0 && become((uid_t)limits->user) != 0) return "become another user";
  die_with_parent();
  if (!on_descriptor && limits->filter != CONFINEMENT_OPEN && apply(limits->filter) != 0)
    return "apply the filter of system calls";
  execve(arguments[0], arguments, environment);
  return "start the program";
}
