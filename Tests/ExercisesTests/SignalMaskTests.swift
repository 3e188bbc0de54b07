import Exercises
import Foundation
import Testing

@Suite("Child processes and signals")
struct SignalMaskTests {
  @Test("A process started from a thread that blocks signals can be ended by them")
  func unblocked() throws {
    var (all, former) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    #expect(try ChildProcess(["/bin/sh", "-c", "kill -TERM $$; sleep 5"]).run().ending == .signalled(SIGTERM))
  }
}
