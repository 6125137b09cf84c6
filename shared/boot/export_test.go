package boot

// Assemble is what Run does before it serves.
var Assemble = assemble
