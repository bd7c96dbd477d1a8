//go:build !race

package main

// raced is whether the program under test is built with the race detector.
const raced = false
