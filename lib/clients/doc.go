// Package clients asks the responder with the clients that people have.
package clients
