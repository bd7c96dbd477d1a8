//go:build !race

package servertest

// Raced is whether the tests, and the program that they run, have the race detector.
const Raced = false
