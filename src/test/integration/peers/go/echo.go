package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// echo is peers.v1.Echo; contract.ts describes it.
type echo struct {
	data  []byte
	text  string
	count int32
}

// codec writes and reads echoes by hand, so that no code has to be generated. Its name makes "application/grpc+proto".
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(value any) ([]byte, error) {
	message, ok := value.(*echo)
	if !ok {
		return nil, fmt.Errorf("not an echo: %T", value)
	}
	out := make([]byte, 0, len(message.data)+len(message.text)+32)
	out = protowire.AppendTag(out, 1, protowire.BytesType)
	out = protowire.AppendBytes(out, message.data)
	out = protowire.AppendTag(out, 2, protowire.BytesType)
	out = protowire.AppendString(out, message.text)
	out = protowire.AppendTag(out, 3, protowire.VarintType)
	return protowire.AppendVarint(out, uint64(int64(message.count))), nil
}

func (codec) Unmarshal(in []byte, value any) error {
	message, ok := value.(*echo)
	if !ok {
		return fmt.Errorf("not an echo: %T", value)
	}
	*message = echo{}
	for len(in) > 0 {
		number, kind, length := protowire.ConsumeTag(in)
		if length < 0 {
			return protowire.ParseError(length)
		}
		in = in[length:]
		switch {
		case kind == protowire.BytesType && number <= 2:
			value, n := protowire.ConsumeBytes(in)
			if n < 0 {
				return protowire.ParseError(n)
			}
			if number == 1 {
				message.data = bytes.Clone(value)
			} else {
				message.text = string(value)
			}
			in = in[n:]
		case kind == protowire.VarintType && number == 3:
			value, n := protowire.ConsumeVarint(in)
			if n < 0 {
				return protowire.ParseError(n)
			}
			message.count = int32(value)
			in = in[n:]
		default:
			return errors.New("an echo has no such field")
		}
	}
	return nil
}

const mebibyte = 1 << 20
const many = 64
const farAhead = many / 2
const shifts = 251 // a prime: it takes long until two pieces begin alike

var endless = func() (made []byte) {
	for i := range mebibyte/32 + 8 {
		sum := sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i)))
		made = append(made, sum[:]...)
	}
	return made
}()

// piece is 1 MiB with bytes of its own that no compression makes fewer; every language makes the same ones.
func piece(i int) []byte {
	start := i * 31 % shifts
	return endless[start : start+mebibyte]
}
