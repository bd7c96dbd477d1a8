//go:build !linux

package index

func inHugePages[T byte | uint64]([]T) {}
