package directory

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"muster/directory/engine"
)

// A backup is a line that names the format, each pair as two lengths (unsigned
// varints) with their bytes, and an end: a zero, the number of pairs, and their
// digest. It holds secrets: the key that hashes tokens, and those that seal
// people's data.

// ErrBackup: the stream is no backup, or a damaged or shortened one.
var ErrBackup = errors.New("not a whole backup")

const backupHead = "muster backup 1\n"

// Backup writes everything to a stream, as of one moment, while the directory
// goes on being used.
func (d *Directory) Backup(ctx context.Context, w io.Writer) (Extent, error) {
	m, out := newMeasure(), bufio.NewWriterSize(w, 1<<16)
	_, _ = out.WriteString(backupHead) // the error stays until Flush
	err := d.engine.View(ctx, func(tx engine.ReadTx) error {
		var room []byte
		for p, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			m.add(p)
			room = binary.AppendUvarint(room[:0], uint64(len(p.Key)))
			room = binary.AppendUvarint(append(room, p.Key...), uint64(len(p.Value)))
			_, _ = out.Write(room)
			if _, err := out.Write(p.Value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Extent{}, err
	}
	x := m.extent()
	end := binary.BigEndian.AppendUint64([]byte{0}, uint64(x.Keys))
	_, _ = out.Write(append(end, x.Digest[:]...))
	return x, out.Flush()
}

// Restore fills an empty store with a backup. When it fails, the store is
// unfinished and may be restored into again.
func Restore(ctx context.Context, to engine.Engine, r io.Reader, tell func(Extent)) (Extent, error) {
	return load(ctx, to, readBackup(bufio.NewReaderSize(r, 1<<16)), tell)
}

// CheckBackup reads a stream to its end and says whether it is a whole backup.
func CheckBackup(r io.Reader) error {
	for _, err := range readBackup(bufio.NewReaderSize(r, 1<<16)) {
		if err != nil {
			return err
		}
	}
	return nil
}

// Bounds of what a damaged length can ask for, where the store has none.
const (
	mostKey   = 1 << 16
	mostValue = 1 << 28
)

// readBackup yields the pairs; the last element is an error unless the stream
// is whole and was not changed.
func readBackup(in *bufio.Reader) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		head := make([]byte, len(backupHead))
		if _, err := io.ReadFull(in, head); err != nil || string(head) != backupHead {
			yield(engine.Pair{}, fmt.Errorf("%w: it does not begin with %q", ErrBackup, backupHead))
			return
		}
		m := newMeasure()
		for {
			key, err := readBytes(in, mostKey)
			if err == nil && len(key) == 0 {
				if err := wholeBackup(in, m.extent()); err != nil {
					yield(engine.Pair{}, err)
				}
				return
			}
			p := engine.Pair{Key: key}
			if err == nil {
				p.Value, err = readBytes(in, mostValue)
			}
			if err != nil {
				yield(engine.Pair{}, fmt.Errorf("%w: after %d keys: %v", ErrBackup, m.Keys, err))
				return
			}
			m.add(p)
			if !yield(p, nil) {
				return
			}
		}
	}
}

func readBytes(in *bufio.Reader, most uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("a length of %d", n)
	}
	var b bytes.Buffer // grows with what is really there
	if _, err := io.CopyN(&b, in, int64(n)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// wholeBackup compares the end of a stream with what came before it.
func wholeBackup(in *bufio.Reader, x Extent) error {
	end := make([]byte, 8+len(x.Digest))
	if _, err := io.ReadFull(in, end); err != nil {
		return fmt.Errorf("%w: its end is missing", ErrBackup)
	}
	if binary.BigEndian.Uint64(end) != uint64(x.Keys) || !bytes.Equal(end[8:], x.Digest[:]) {
		return fmt.Errorf("%w: its digest differs: it was changed", ErrBackup)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		return fmt.Errorf("%w: something follows its end", ErrBackup)
	}
	return nil
}
