package law

import "slices"

// packs holds every version of every law, the newest of each ID first.
var packs = slices.Concat(europe, britain, swissLaw, california, states, canada, provinces,
	brazilianLaw, argentineLaw, australianLaw, newZealandLaw, asianLaws, southAfricanLaw)
