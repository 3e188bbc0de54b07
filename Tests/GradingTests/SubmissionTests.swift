import Exercises
import Foundation
import Testing

@testable import Grading

@Suite("What is taken of submissions")
struct SubmissionTests {
  private func read(_ room: Classroom) throws -> [String: Submission] {
    let (submissions, _) = try SubmissionFolder(room.submissions, lookingFor: ["VAE.swift"]).read()
    return Dictionary(uniqueKeysWithValues: submissions.map { ($0.name, $0) })
  }

  @Test("A file is found at any depth; everything else is noted; one file twice is one, two that differ are a problem")
  func files() throws {
    let room = try Classroom()
    defer { room.remove() }
    try room.add("deep", "let a = 1", as: "x/y z/VAE.swift")
    for other in ["Package.swift", "macros/Trick.swift", "trick.c", "cat.png"] {
      try room.add("deep", "!", as: "x/\(other)")
    }
    try room.add("twice", "let a = 1", as: "a/VAE.swift")
    try room.add("twice", "let a = 1", as: "b/VAE.swift")
    try room.add("two", "let a = 1", as: "a/VAE.swift")
    try room.add("two", "let a = 2", as: "b/VAE.swift")
    try room.add("none", "let a = 1", as: "vae.swift")
    try room.add("empty", " \n", as: "VAE.swift")
    try room.add("bytes", Data([0x6c, 0xff, 0xfe, 0x0a]))
    try room.add("large", String(repeating: "/", count: 300_000))
    let found = try read(room)
    #expect(found["deep"]?.files == ["VAE.swift": "let a = 1"])
    #expect(found["deep"]?.notes == ["ignored: x/Package.swift, x/cat.png, x/macros/Trick.swift, x/trick.c"])
    #expect(found["twice"]?.files == ["VAE.swift": "let a = 1"])
    #expect(found["two"]?.problems["VAE.swift"]?.status == .notGraded)
    #expect(found["two"]?.notes == ["several files are called VAE.swift, and they differ: a/VAE.swift, b/VAE.swift"])
    #expect(found["none"]?.problems["VAE.swift"] == .missing)
    #expect(found["empty"]?.notes == ["VAE.swift is empty"])
    #expect(found["bytes"]?.notes == ["VAE.swift is not UTF-8 text"])
    #expect(found["large"]?.notes == ["VAE.swift has 300000 bytes; at most 262144 are taken"])
  }

  @Test("No link is followed: neither a file, nor a folder on the way, nor a student's folder; a pipe blocks nothing")
  func links() throws {
    let room = try Classroom()
    defer { room.remove() }
    let files = FileManager.default
    let solution = room.lesson.url.appending(path: "VAE.swift")
    try room.add("file", "x", as: "notes.txt")
    try files.createSymbolicLink(at: room.submissions.appending(path: "file/VAE.swift"), withDestinationURL: solution)
    try room.add("folder", "x", as: "notes.txt")
    try files.createSymbolicLink(at: room.submissions.appending(path: "folder/l"), withDestinationURL: room.lesson.url)
    try files.createSymbolicLink(at: room.submissions.appending(path: "whole"), withDestinationURL: room.lesson.url)
    try room.add("pipe", "x", as: "notes.txt")
    #expect(mkfifo(room.submissions.appending(path: "pipe/VAE.swift").path, 0o600) == 0)
    let found = try read(room)
    #expect(found["file"]?.problems["VAE.swift"] == .missing && found["folder"]?.problems["VAE.swift"] == .missing)
    #expect(found["file"]?.notes.first == "VAE.swift: a symbolic link, ignored")
    #expect(found["pipe"]?.notes.first == "VAE.swift: neither file nor folder, ignored")
    #expect(found["whole"] == nil)
    #expect(try SubmissionFolder(room.submissions, lookingFor: []).read().ignored == ["whole: a symbolic link"])
  }

  @Test("An archive is taken like a folder, stored or deflated; links and damage in it are noted")
  func archives() throws {
    let room = try Classroom()
    defer { room.remove() }
    var archive = ZipArchive()
    archive.add("VAE.swift", Data("let a = 1".utf8))
    archive.add("manifest.json", Data("{}".utf8))
    try archive.data.write(to: room.submissions.appending(path: "ada.zip"))
    try room.add("ben", archive.data, as: "Lesson04-VAE.zip")
    // python3: zipfile.ZipFile(f, "w", ZIP_DEFLATED).writestr("a/VAE.swift", "let a = 1\n" * 40)
    let deflated = try #require(
      Data(
        base64Encoded: """
          UEsDBBQAAAAIAAAAIQD4sTrSEQAAAJABAAALAAAAYS9WQUUuc3dpZnTLSS1RSFSwVTDkyhllDQIWAFBLAQIUAxQAAAAIAAAAIQD4sTrS\
          EQAAAJABAAALAAAAAAAAAAAAAACAAQAAAABhL1ZBRS5zd2lmdFBLBQYAAAAAAQABADkAAAA6AAAAAAA=
          """))
    try room.add("cem", deflated, as: "my.zip")
    try room.add("dan", deflated.prefix(90), as: "my.zip")
    var lying = deflated
    lying[60] = 0xff  // in the compressed bytes
    try room.add("eve", lying, as: "my.zip")
    let found = try read(room)
    #expect(found["ada"]?.files == ["VAE.swift": "let a = 1"] && found["ada"]?.notes == [])
    #expect(found["ben"]?.files == ["VAE.swift": "let a = 1"])
    #expect(found["cem"]?.files["VAE.swift"] == String(repeating: "let a = 1\n", count: 40))
    #expect(found["dan"]?.notes.first?.contains("no zip archive that can be read") == true)
    #expect(found["eve"] != nil)
    #expect(found["ada"]?.digest == found["ben"]?.digest && found["ada"]?.digest != found["cem"]?.digest)
  }

  @Test("Shards share all submissions; one that makes no sense is refused")
  func shards() throws {
    let all = (0..<7).map { Submission(name: "\($0)", wanted: [], found: [], notes: []) }
    let parts = try (1...3).map { try Shard("\($0)/3").part(of: all).map(\.name) }
    #expect(parts == [["0", "3", "6"], ["1", "4"], ["2", "5"]])
    for text in ["0/3", "4/3", "1", "1/0", "a/b", "1/2/3", ""] {
      #expect(throws: ExerciseError.self, "\(text)") { try Shard(text) }
    }
  }
}
