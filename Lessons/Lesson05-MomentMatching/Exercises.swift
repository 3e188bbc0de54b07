import LessonKit

let exercises: [any ExerciseSpecification] = []
