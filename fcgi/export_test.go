package fcgi

// Unconnected is what kernels without SO_ACCEPTCONN are asked instead.
var Unconnected = unconnected
