package cgi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/cgi"
)

// TestMain makes the test binary a CGI program when it is run as one.
func TestMain(m *testing.M) {
	if !cgi.Invoked(os.Getenv) {
		os.Exit(m.Run())
	}
	signal.Ignore(syscall.SIGPIPE)
	if err := cgi.Serve(context.Background(), os.Getenv, os.Stdin, os.Stdout, describe); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// program is the test binary with a CGI environment of env and nothing else.
func program(t *testing.T, stderr io.Writer, env ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], "-index", "/etc/passwd")
	cmd.Env = env
	cmd.Stderr = stderr
	return cmd
}

func TestProcess(t *testing.T) {
	t.Run("CGI-05 stdin stays open", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		if _, err := io.WriteString(w, "hello"); err != nil {
			t.Fatal(err)
		}
		cmd := program(t, os.Stderr, "REQUEST_METHOD=POST", "CONTENT_LENGTH=5")
		cmd.Stdin = r
		out, err := cmd.Output()
		if err != nil || string(out) != page("POST   5") {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("CGI-08 CGI-12 nothing but the answer", func(t *testing.T) {
		var stderr bytes.Buffer
		out, err := program(t, &stderr, "REQUEST_METHOD=GET", "REQUEST_URI=/x").Output()
		if err != nil || string(out) != page("GET /x  0") || stderr.Len() > 0 {
			t.Errorf("%q, %v, stderr %q", out, err, stderr.String())
		}
	})
	t.Run("CGI-11 nobody reads stdout", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		var stderr bytes.Buffer
		cmd := program(t, &stderr, "REQUEST_METHOD=GET")
		cmd.Stdout = w
		if err := cmd.Run(); err != nil {
			t.Error(err)
		}
		if text := stderr.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "broken pipe") {
			t.Errorf("stderr %q", text)
		}
	})
}

// TestOneSocket is Apache's mod_cgid: stdin and stdout are one connected
// socket, and the server reads when it has written the body.
func TestOneSocket(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 1<<20)
	for _, c := range []struct {
		name, env, want string
		body            []byte
	}{
		{"GET with a body of 80", "REQUEST_METHOD=GET CONTENT_LENGTH=80", "GET   0", body[:80]},
		{"POST of 80", "REQUEST_METHOD=POST CONTENT_LENGTH=80", "POST   80", body[:80]},
		{"POST of 1 MiB", "REQUEST_METHOD=POST CONTENT_LENGTH=1048576", "POST   65537", body},
		{"chunked POST of 1 MiB", "REQUEST_METHOD=POST", "POST   65537", body},
		{"PUT of 1 MiB", "REQUEST_METHOD=PUT CONTENT_LENGTH=1048576", "PUT   0", body},
	} {
		t.Run("CGI-07 "+c.name, func(t *testing.T) {
			fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			syscall.CloseOnExec(fds[0])
			syscall.CloseOnExec(fds[1])
			server, child := os.NewFile(uintptr(fds[0]), "server"), os.NewFile(uintptr(fds[1]), "child")
			defer server.Close()
			cmd := program(t, os.Stderr, strings.Fields(c.env)...)
			cmd.Stdin, cmd.Stdout = child, child
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if err := child.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Write(c.body); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Shutdown(fds[0], syscall.SHUT_WR); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			out, err := io.ReadAll(server)
			if err != nil || string(out) != page(c.want) {
				t.Errorf("%q, %v, want %q", out, err, page(c.want))
			}
		})
	}
}
