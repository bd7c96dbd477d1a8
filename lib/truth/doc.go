// Package truth holds every answer against what is true.
//
// It is empty but for its tests. CAs issue, revoke, hold and release all the
// while, and their indexes are written in all ways that there are; clients ask
// through real servers. What was true when is known, and so what may be said.
package truth
