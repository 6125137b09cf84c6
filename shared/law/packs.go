package law

import "slices"

// packs holds every version of every law, the newest of each ID first.
var packs = slices.Concat(europe, britain, california, states, canada)
