import Exercises
import Foundation
import Testing

@testable import Publishing

@Suite("Releases")
struct ReleaseTests {
  private let clone: AuthorsClone
  private var out: URL { clone.folder.appending(path: "student") }

  init() throws { clone = try AuthorsClone() }

  private func release(to folder: URL, replacing: Bool = false) throws {
    try StudentRelease(of: clone.course, target: folder).write(to: folder, replacing: replacing)
  }

  @Test("A release holds the course without solutions, mistakes and what is for authors; made again, the same bytes")
  func bytes() throws {
    defer { clone.remove() }
    try release(to: out)
    let content = try AuthorsClone.content(of: out)
    #expect(
      content.keys.sorted() == [
        ".release.json", "Lessons/Lesson07-Toy/Exercises.swift", "Lessons/Lesson07-Toy/Mistakes.swift",
        "Lessons/Lesson07-Toy/Recorded.json", "Lessons/Lesson07-Toy/Toy.swift", "Lessons/Lesson07-Toy/main.swift",
        "Package.swift", "README.md", "Sources/Tensors/Tensor.swift",
      ])
    #expect(content["Package.swift"] == "644 let package = 1\n")
    #expect(content["Lessons/Lesson07-Toy/Toy.swift"]?.contains("  todo(\"Toy.1\")\n  // END SOLUTION") == true)
    let second = clone.folder.appending(path: "second")
    try release(to: second)
    #expect(try AuthorsClone.content(of: second) == content)
  }

  @Test("Of a git clone the tracked files alone are taken, and what is left out is said")
  func git() throws {
    defer { clone.remove() }
    for command in [["init", "-q"], ["add", "."]] {
      #expect(try ChildProcess(["git", "-C", clone.course.url.path] + command).run().ending == .exited(0))
    }
    try clone.write("private", to: "Lessons/Lesson07-Toy/seeds.json")
    let release = try StudentRelease(of: clone.course)
    #expect(!release.files.contains { $0.path.contains("seeds") || $0.path.hasPrefix(".git") })
    #expect(release.notes == ["Lessons/Lesson07-Toy/seeds.json is not tracked by git: left out"])
  }

  @Test("A folder that is not empty is refused; --force replaces the files of a former release and leaves the others")
  func replacing() throws {
    defer { clone.remove() }
    try clone.write("of the instructor", to: "../student/notes.txt")
    for replacing in [false, true] {
      #expect {
        try release(to: out, replacing: replacing)
      } throws: {
        "\($0)".contains("holds no former release")
      }
    }
    try FileManager.default.removeItem(at: out)
    try clone.write("// gone later\n", to: "Sources/Old/Old.swift")
    try release(to: out)
    try clone.write("of the instructor", to: "../student/.git/config")
    try FileManager.default.removeItem(at: clone.course.url.appending(path: "Sources/Old"))
    #expect {
      try release(to: out)
    } throws: {
      "\($0)".contains("--force")
    }
    try release(to: out, replacing: true)
    let content = try AuthorsClone.content(of: out)
    #expect(content[".git/config"] != nil && content["Sources/Tensors/Tensor.swift"] != nil)
    #expect(!FileManager.default.fileExists(atPath: out.appending(path: "Sources/Old").path))
    try clone.write(#"{"files":{"../course/README.md":""},"version":1}"#, to: "../student/.release.json")
    #expect {
      try release(to: out, replacing: true)
    } throws: {
      "\($0)".contains("damaged")
    }
  }

  @Test("A release within the clone does not hold itself; one that cannot be written says where")
  func places() throws {
    defer { clone.remove() }
    let inside = clone.course.url.appending(path: "data/student")
    try release(to: inside)
    try release(to: inside, replacing: true)
    #expect(try AuthorsClone.content(of: inside).keys.allSatisfy { !$0.hasPrefix("data") })
    #expect {
      try release(to: URL(fileURLWithPath: "/proc/student"))
    } throws: {
      "\($0)".hasPrefix("/proc/student cannot be written")
    }
  }

  @Test("A line of a solution or of a mistake anywhere in a release is found, however it is indented")
  func leaks() throws {
    defer { clone.remove() }
    try clone.write("      let doubled =\n   x + x + 0 * x\n", to: "Tests/ToyTests/A.swift")
    #expect {
      try StudentRelease(of: clone.course)
    } throws: {
      "\($0)".contains("Tests/ToyTests/A.swift has a line of the solution of Toy.1: letdoubled=x+x+0*x")
    }
    try clone.write("so { x in x + x + x + 0 }])\n", to: "Tests/ToyTests/A.swift")
    #expect {
      try StudentRelease(of: clone.course)
    } throws: {
      "\($0)".contains("a known mistake of Lesson07-Toy")
    }
    try clone.write("It is three times x.\n", to: "Tests/ToyTests/A.swift")
    let release = try StudentRelease(of: clone.course)
    let solved = release.files.map { file in
      StudentRelease.File(path: file.path, content: Data("f()".utf8), isExecutable: false)
    }
    let found = try Secrets(of: clone.course).leaks(in: solved)
    #expect(found.contains { $0.contains("Toy.1 is not emptied") } && found.contains { $0.contains("Mistakes.swift") })
  }
}
