// Package packages proves what ships: packages, units and builds for each system.
//
// It is empty but for its tests. The package for Debian is installed, used,
// upgraded and purged in the machine of its own that guides are followed in.
package packages
