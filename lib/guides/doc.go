// Package guides runs the guides of lib/command/help/guides, word for word.
//
// It is empty but for its tests. Each guide is followed in a Debian machine of
// its own: namespaces for mounts, processes and the network, systemd as process
// 1, and the machine's files below an overlay that is thrown away. So a guide
// may say /etc/nginx, port 443 and systemctl, as its reader will.
package guides
