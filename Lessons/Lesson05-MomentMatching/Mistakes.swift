import LessonKit

let mistakes: [KnownMistakes] = []
