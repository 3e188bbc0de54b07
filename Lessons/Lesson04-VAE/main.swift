import LessonKit

print("VAE")
