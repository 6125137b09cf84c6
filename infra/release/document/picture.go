package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
)

// head is how long a PNG is before its first chunk that may be ours: the signature and
// the header.
const head = 8 + 4 + 4 + 13 + 4

// of is the chunk in which a picture says which drawing it shows.
func of(drawing []byte) []byte {
	sum := sha256.Sum256(drawing)
	body := append([]byte("tEXtDrawing\x00"), hex.EncodeToString(sum[:])...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-4)) //nolint:gosec // some eighty bytes
	chunk = append(chunk, body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body))
}

// Label writes into a picture in PNG which drawing it shows: nobody compares the two
// point by point.
func Label(picture, drawing []byte) ([]byte, error) {
	if len(picture) < head || !bytes.HasPrefix(picture, []byte("\x89PNG\r\n\x1a\n")) {
		return nil, errors.New("document: this is no picture in PNG")
	}
	return bytes.Join([][]byte{picture[:head], of(drawing), picture[head:]}, nil), nil
}

// Shows reports whether a picture says that it shows a drawing.
func Shows(picture, drawing []byte) bool { return bytes.Contains(picture, of(drawing)) }
