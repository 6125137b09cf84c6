// Package dynamo keeps the item store in three tables of DynamoDB. It does what
// the port says and nothing else: one call of the port is one call of the
// service wherever that can be, and the expressions it sends are the few in
// this package, whatever the domain stores.
//
// boot, infra/stack (for TableInput) and tests may import it.
//
// # Layout
//
// The names are short because they are billed with every item. The expiry is
// also the tables' time-to-live attribute.
//
//	attribute  type  holds
//	p          S     partition key: Key.Partition
//	s          S     sort key: Key.Sort
//	v          N     Version
//	z          N     Schema
//	b          B     Body
//	c          S     CommitID; absent if Count made the item and no commit has put it since
//	x          N     Expires in seconds since 1970; absent: never
//	dp         S     the shard that Due files the item in; absent: not filed
//	ds         N     Due in milliseconds since 1970
//	u          S     Subject; absent: not filed
//	cw         S     Counted.Window; absent: never counted
//	cn         N     Counted.N
//	ct         N     Counted.Total
//
//	index      on     partition  sort  projects
//	due        state  dp         ds    keys, x
//	subject    state  u          p     keys, x
//
// The indexes hold x so that an expired item is hidden there too, before the
// service gets round to purging it.
//
// # Which answers can be trusted
//
// Reads of a table are strongly consistent; reads of an index cannot be.
//
// A commit of several writes is one transaction under a token made of its id and
// its contents. The SDK repeats it after a lost answer, and within ten minutes
// the service knows the token. After that, or from another process, the commit
// knows itself again by its id on the items it put.
//
// A commit of one write, and a Count, is a plain conditional write, which bills
// half. The service knows no token for those, and the SDK would turn the success
// behind a lost answer into a failed condition; so the SDK does not repeat them,
// and a lost answer is ErrUnknown.
package dynamo
