package directory

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// emit writes an event; sequence.go says when it gets its number.
func (a *application) emit(e Event, secret [16]byte) error {
	id, err := a.d.ids.next(a.now.At)
	if err != nil {
		return err
	}
	c := a.s.change
	e.ID = id
	if e.Time.IsZero() {
		e.Time = a.now.At
	}
	if e.Time.Before(a.emitted) { // one transaction tells in its own order
		e.Time = a.emitted
	}
	a.emitted = e.Time
	if e.Case == NoID {
		e.Case = a.resolves
	}
	e.Source = EventSource{c.Connection, c.Channel, c.Actor, c.Request}
	record, err := encodeEvent(&e, secret)
	if err != nil {
		return err
	}
	a.wrote = id
	return a.keepEvent(&e, record)
}

// encodeEvent keeps the header readable and seals the changes of a user under
// the user's key.
func encodeEvent(e *Event, secret [16]byte) ([]byte, error) {
	out := newEncoder(160 + 64*len(e.Changes))
	out.id(e.ID)
	out.time(e.Time)
	out.text(string(e.Type))
	out.id(e.User)
	out.id(e.Group)
	out.id(e.Other)
	out.id(e.Case)
	out.text(e.Source.Connection)
	out.text(string(e.Source.Channel))
	out.text(e.Source.Actor)
	out.text(e.Source.Request)
	body := &encoder{make([]byte, 0, 16+64*len(e.Changes))}
	body.int(len(e.Changes))
	for _, c := range e.Changes {
		body.text(c.Attribute)
		body.text(string(c.Layer))
		body.int(c.Rule)
		body.value(c.Before)
		body.value(c.After)
		body.bool(c.Shadowed)
	}
	if e.User == NoID {
		out.text(string(body.b))
		return out.b, nil
	}
	out.int(len(body.b) + sealOverhead)
	return seal(out.b, secret, e.ID, body.b)
}

// decodeEvent reads an event; without the key (erased user) it has no changes.
func decodeEvent(seq uint64, record []byte, secret func(ID) ([16]byte, bool)) (Event, error) {
	e, body, err := decodeHead(record)
	e.Seq = seq
	if err != nil {
		return e, err
	}
	if e.User != NoID {
		key, ok := secret(e.User)
		if !ok {
			return e, nil
		}
		plain, err := unseal(key, e.ID, []byte(body))
		if err != nil {
			return e, err
		}
		body = string(plain)
	}
	return e, e.decodeChanges(body)
}

// decodeHead reads what of an event is not sealed, and its sealed changes.
func decodeHead(record []byte) (e Event, body string, err error) {
	d := newDecoder(record)
	e = Event{ID: d.id(), Time: d.time(), Type: EventType(d.text()), User: d.id(), Group: d.id(), Other: d.id(), Case: d.id(),
		Source: EventSource{d.text(), Channel(d.text()), d.text(), d.text()}}
	body = d.text()
	return e, body, d.done()
}

func (e *Event) decodeChanges(body string) error {
	d := &decoder{s: body}
	e.Changes = make([]AttributeChange, d.count())
	for i := range e.Changes {
		e.Changes[i] = AttributeChange{Attribute: d.text(), Layer: Channel(d.text()), Rule: int(d.uint()),
			Before: d.value(), After: d.value(), Shadowed: d.bool()}
	}
	return d.done()
}

func sealer(secret [16]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealOverhead is how much longer a sealed text is: a nonce and a tag.
const sealOverhead = 12 + 16

// seal appends to out what AES-128-GCM makes of plain with a random nonce; the
// event's id is additional data, so that bodies cannot be exchanged.
func seal(out []byte, secret [16]byte, id ID, plain []byte) ([]byte, error) {
	gcm, err := sealer(secret)
	if err != nil {
		return nil, err
	}
	return gcm.Seal(out, nil, plain, id[:]), nil
}

func unseal(secret [16]byte, id ID, sealed []byte) ([]byte, error) {
	gcm, err := sealer(secret)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nil, sealed, id[:])
	if err != nil {
		return nil, fmt.Errorf("%w: event %s: %v", errRecord, id, err)
	}
	return plain, nil
}

// Events returns at most limit events after a sequence number, oldest first.
func (d *Directory) Events(ctx context.Context, org string, after uint64, limit int) (list []Event, err error) {
	if err := d.sequence(ctx, org); err != nil {
		return nil, err
	}
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		from := orgKey(tableEvent, org)
		for pair, err := range r.Scan(from.clone().number(after+1), from.end()) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				return nil
			}
			e, err := r.event(pair.Key, pair.Value)
			if err != nil {
				return err
			}
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

func (r reading) event(k, record []byte) (Event, error) {
	return decodeEvent(binary.BigEndian.Uint64(k[len(k)-8:]), record, func(id ID) ([16]byte, bool) {
		u, err := r.userByID(id)
		if err != nil || u == nil || u.key == [16]byte{} {
			return [16]byte{}, false
		}
		return u.key, true
	})
}

// History returns the newest events of one user, newest first.
func (d *Directory) History(ctx context.Context, org string, id ID, limit int) (list []Event, err error) {
	if err := d.sequence(ctx, org); err != nil {
		return nil, err
	}
	err = d.view(ctx, org, func(r reading) (err error) { list, err = r.history(id, 0, limit); return err })
	return list, err
}

// secretKey draws a new key.
func secretKey() (k [16]byte) {
	rand.Read(k[:])
	return k
}
