@_exported import Datasets
@_exported import Distributions
@_exported import Exercises
@_exported import Figures
@_exported import Foundation
@_exported import NeuralNetworks
@_exported import Notebook
@_exported import Tensors
