//go:build !linux

package index

func inHugePages([]uint64) {}
