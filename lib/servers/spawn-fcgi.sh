#!/bin/sh
# Starts ocspcgi on a socket for a web server, for machines without systemd. It
# stays in the foreground (-n), for runit, s6 or a shell's &, and logs to stderr.
# The settings name no listen: ocspcgi would find this address taken, and end.
#   -s, -M  where the socket is, and who may open it: owner and group
#   -u, -g  as whom it runs: the owner of the key
#   -U, -G  whose the socket is: the web server's
exec spawn-fcgi -n -s /run/ocspcgi/ocspcgi.sock -M 0660 -u ocspcgi -g ocspcgi -U www-data -G www-data \
    -- /usr/lib/cgi-bin/ocspcgi -config /etc/ocspcgi/ocspcgi.toml
