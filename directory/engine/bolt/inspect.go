package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"

	"muster/directory/engine"
)

// The head of a bbolt file: two meta pages, of which the valid one with the
// higher transaction id counts. Numbers are in the machine's own byte order.
const (
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	noFreelist   = 1<<64 - 1

	metaMagic   = 0xED0CDAED
	metaVersion = 2
	metaOffset  = 16 // after the page header
	metaLength  = 64
	leastPage   = 1 << 10
	largestPage = 1 << 24
)

// meta is what has to be known of a meta page.
type meta struct {
	pageSize    uint32
	root        uint64
	freelist    uint64
	pages       uint64 // one more than the last page in use
	transaction uint64
}

// inspect looks at a file before all of it is mapped, because damage at the
// roots makes bbolt panic and reading beyond the end of a mapped file kills the
// process. It returns the size, 0 for a new file. bbolt, asked to read only,
// maps and checks the first pages and keeps other processes away meanwhile.
func inspect(path string, options bbolt.Options) (size int64, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("%s is no regular file", path)
	case info.Size() == 0:
		return 0, nil
	}
	options.ReadOnly = true
	db, err := open(path, &options)
	if errors.Is(err, ErrInUse) || errors.Is(err, fs.ErrPermission) {
		return 0, err
	}
	if db != nil {
		defer func() { err = errors.Join(err, db.Close()) }()
	}
	size, unsound := soundSize(path)
	if unsound != nil {
		return 0, fmt.Errorf("%w: %s: %w", engine.ErrCorrupt, path, unsound)
	}
	return size, err
}

// soundSize is the size of a file whose head agrees with the rest.
func soundSize(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	m, err := newestMeta(file)
	if err != nil {
		return 0, err
	}
	if need := m.pages * uint64(m.pageSize); uint64(info.Size()) < need {
		return 0, fmt.Errorf("cut off: has %d bytes, needs %d", info.Size(), need)
	}
	if !m.leadsTo(file, m.root, branchPage|leafPage) || m.freelist != noFreelist && !m.leadsTo(file, m.freelist, freelistPage) {
		return 0, errors.New("the pages at its roots are damaged")
	}
	return info.Size(), nil
}

// leadsTo says whether the head of a page agrees with what it is needed for.
func (m meta) leadsTo(file io.ReaderAt, page uint64, kinds uint16) bool {
	var b [10]byte // number of 8 bytes, kind of 2
	if _, err := file.ReadAt(b[:], int64(page)*int64(m.pageSize)); err != nil {
		return false
	}
	return page < m.pages && binary.NativeEndian.Uint64(b[:]) == page && binary.NativeEndian.Uint16(b[8:])&kinds != 0
}

var errNoMeta = errors.New("not a muster database: no valid meta page")

// newestMeta reads the first meta page, and the second where the first says
// or, if the first is damaged, where any page size would put it.
func newestMeta(file io.ReaderAt) (meta, error) {
	first, ok := readMeta(file, 0)
	if ok {
		second, ok := readMeta(file, int64(first.pageSize))
		if ok && second.transaction > first.transaction {
			return second, nil
		}
		return first, nil
	}
	for size := int64(leastPage); size <= largestPage; size *= 2 {
		if second, ok := readMeta(file, size); ok && int64(second.pageSize) == size {
			return second, nil
		}
	}
	return meta{}, errNoMeta
}

func readMeta(file io.ReaderAt, page int64) (meta, bool) {
	var b [metaLength]byte
	if _, err := file.ReadAt(b[:], page+metaOffset); err != nil {
		return meta{}, false
	}
	order := binary.NativeEndian
	m := meta{
		pageSize:    order.Uint32(b[8:]),
		root:        order.Uint64(b[16:]),
		freelist:    order.Uint64(b[32:]),
		pages:       order.Uint64(b[40:]),
		transaction: order.Uint64(b[48:]),
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:56])
	valid := order.Uint32(b[0:]) == metaMagic && order.Uint32(b[4:]) == metaVersion &&
		order.Uint64(b[56:]) == sum.Sum64() && m.sane()
	return m, valid
}

// sane refuses numbers that no file has, whatever the checksum says.
func (m meta) sane() bool {
	return m.pageSize >= leastPage && m.pageSize <= largestPage && m.pages < 1<<40 && m.root < m.pages
}
