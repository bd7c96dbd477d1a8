package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

const stopUsage = `ocspcgi stop (-pid-file FILE | -port [HOST:]N | unix:PATH)

stops a running ocspcgi, found by its PID file, its port or its socket: it is told
to end (SIGTERM), answers what it is being asked, and ends. stop waits for that. A
process that is no ocspcgi is left alone.

  -pid-file FILE  the file of -pid_file
  -port N         the port, of HTTP or FastCGI, that it listens on
  -timeout D      how long to wait, in seconds or as 1m30s; 60 seconds without
  -json           as JSON

  ocspcgi stop -pid-file /run/ocspcgi/ocspcgi.pid
`

// errEnded is what there is to say of a process that is not there.
var errEnded = errors.New("no such process")

// stopped is what -json prints.
type stopped struct {
	PID     int  `json:"pid"`
	Stopped bool `json:"stopped"`
}

func (s *Shell) stop(args []string) int {
	v := s.verb("stop", stopUsage)
	var file, port string
	timeout := "60"
	v.text(&file, "pid-file", "pid_file")
	v.text(&port, "port")
	v.text(&timeout, "timeout")
	return v.run(args, func() (int, error) {
		patience, err := parsePatience(timeout)
		if err != nil {
			return 0, err
		}
		pid, err := v.whom(file, port)
		if err != nil {
			return 0, err
		}
		if err := terminate(pid, patience); err != nil {
			if errors.Is(err, errEnded) && file != "" {
				err = fmt.Errorf("%s: %w; it did not end well, remove the file", file, err)
			}
			return 0, err
		}
		if err := removePidFile(file, pid); err != nil {
			return 0, err
		}
		if v.json {
			return 0, PrintJSON(v.Stdout, stopped{pid, true})
		}
		fmt.Fprintf(v.Stdout, "process %d has ended\n", pid)
		return 0, nil
	})
}

// parsePatience reads seconds, or a duration.
func parsePatience(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return parseSeconds("timeout", text)
}

// whom returns the process to stop.
func (v *verb) whom(file, port string) (int, error) {
	socket := ""
	for _, arg := range v.rest {
		path, ok := strings.CutPrefix(arg, "unix:")
		if !ok || path == "" || socket != "" {
			return 0, misused("%q is no socket, or one too many; write it as unix:PATH", arg)
		}
		socket = path
	}
	switch {
	case count(file, port, socket) != 1:
		return 0, misused("which one? Name its -pid-file, its -port or its socket, one of them")
	case file != "":
		return readPid(file)
	case port != "":
		number := port[strings.LastIndexByte(port, ':')+1:]
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n == 0 {
			return 0, misused("-port %q is no port", port)
		}
		return onPort(uint16(n))
	}
	return onSocket(socket)
}

// count counts what is not empty.
func count(texts ...string) (n int) {
	for _, text := range texts {
		if text != "" {
			n++
		}
	}
	return n
}

func readPid(path string) (int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid < 2 {
		return 0, fmt.Errorf("%s: %.20q is no process id", path, data)
	}
	return pid, nil
}

// removePidFile removes what the process itself has not, where it is still its.
func removePidFile(path string, pid int) error {
	if path == "" {
		return nil
	}
	now, err := readPid(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now != pid {
		return nil
	}
	return errors.Join(err, os.Remove(path))
}
