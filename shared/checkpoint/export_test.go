package checkpoint

// What the tests of this package look into.
var (
	Encode        = encode
	Decode        = decode
	Merkle        = merkle
	BatchHash     = batchHash
	CheckpointKey = checkpointKey
)

// Takes is how many batches a checkpoint takes at most.
const Takes = takes
