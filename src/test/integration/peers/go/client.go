package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const path = "/peers.v1.EchoService/"

type caller struct {
	conn *grpc.ClientConn
	seen map[string]any
}

// call asks for everything there is and prints what came of it; the test knows what should have.
func call(address, ca string) error {
	secrets, tlsConfig := insecure.NewCredentials(), (*tls.Config)(nil)
	if ca != "" {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(ca))
		tlsConfig = &tls.Config{RootCAs: pool, ServerName: "localhost"}
		secrets = credentials.NewTLS(tlsConfig)
	}
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(secrets), grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{})))
	if err != nil {
		return err
	}
	defer conn.Close()
	c := caller{conn, map[string]any{}}
	for _, part := range []func() error{
		c.metadata, c.unaries, c.largeStreams, c.halfClosed, c.errors, c.ends, c.atOnce,
		func() error { return c.bodies(address, tlsConfig) },
	} {
		if err := part(); err != nil {
			c.seen["failed"] = err.Error()
			break
		}
	}
	return json.NewEncoder(os.Stdout).Encode(c.seen)
}

func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 40*time.Second)
}

func (c caller) unary(ctx context.Context, request *echo, options ...grpc.CallOption) (*echo, error) {
	answer := new(echo)
	return answer, c.conn.Invoke(ctx, path+"Unary", request, answer, options...)
}

func (c caller) ask(text string) (int32, error) {
	ctx, cancel := soon()
	defer cancel()
	answer, err := c.unary(ctx, &echo{text: text})
	return answer.count, err
}

func (c caller) stream(ctx context.Context, name string) (grpc.ClientStream, error) {
	return c.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, path+name)
}

// say sends messages and ends.
func say(stream grpc.ClientStream, messages ...*echo) error {
	for _, message := range messages {
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

// hear reads to the end.
func hear(stream grpc.ClientStream) (heard []*echo, err error) {
	for {
		message := new(echo)
		if err = stream.RecvMsg(message); err == io.EOF {
			return heard, nil
		} else if err != nil {
			return heard, err
		}
		heard = append(heard, message)
	}
}

func told(md metadata.MD) (lines []string) {
	for name, values := range md {
		if !strings.HasPrefix(name, "head-") && !strings.HasPrefix(name, "tail-") {
			continue
		}
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = hex.EncodeToString([]byte(value))
			}
			lines = append(lines, name+"="+value)
		}
	}
	slices.Sort(lines)
	return lines
}

func (c caller) metadata() error {
	ctx, cancel := soon()
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx,
		"plain", "one", "plain", "two", "binary-bin", "\x00\xff\x80", "binary-bin", "\x07")
	var head, tail metadata.MD
	if _, err := c.unary(ctx, &echo{text: "hi"}, grpc.Header(&head), grpc.Trailer(&tail)); err != nil {
		return err
	}
	c.seen["unary metadata"] = append(told(head), told(tail)...)
	stream, err := c.stream(ctx, "Talk")
	if err != nil {
		return err
	}
	if err := say(stream, &echo{text: "hi"}); err != nil {
		return err
	}
	if _, err := hear(stream); err != nil {
		return err
	}
	head, err = stream.Header()
	c.seen["stream metadata"] = append(told(head), told(stream.Trailer())...)
	return err
}

func (c caller) unaries() error {
	ctx, cancel := soon()
	defer cancel()
	for _, size := range []int{0, 1, 64 << 10, mebibyte} {
		data := piece(3)[:size]
		answer, err := c.unary(ctx, &echo{data: data})
		if err != nil {
			return err
		}
		if !slices.Equal(answer.data, data) {
			return fmt.Errorf("%d bytes came back as others", size)
		}
	}
	c.seen["echoed"] = true
	return nil
}

func (c caller) largeStreams() error {
	ctx, cancel := soon()
	defer cancel()
	stream, err := c.stream(ctx, "Collect")
	if err != nil {
		return err
	}
	var sent atomic.Int32
	failed := make(chan error, 1)
	go func() {
		for i := range many {
			message := &echo{data: piece(i)}
			if i == 0 {
				message.text = "hold"
			}
			if err := stream.SendMsg(message); err != nil {
				failed <- err
				return
			}
			sent.Store(int32(i + 1))
		}
		failed <- stream.CloseSend()
	}()
	time.Sleep(300 * time.Millisecond)
	c.seen["waits for the server"] = sent.Load() < farAhead
	for over := false; !over; {
		if _, err := c.ask("release"); err != nil {
			return err
		}
		select {
		case err := <-failed:
			if err != nil {
				return err
			}
			over = true
		case <-time.After(25 * time.Millisecond):
		}
	}
	collected, err := hear(stream)
	if err != nil {
		return err
	}
	c.seen["collected"] = collected[0].text

	if stream, err = c.stream(ctx, "Serve"); err != nil {
		return err
	}
	if err = say(stream, &echo{text: "pieces", count: many}); err != nil {
		return err
	}
	time.Sleep(300 * time.Millisecond)
	pulled, err := c.ask("pulled")
	if err != nil {
		return err
	}
	c.seen["the server waits"] = pulled < farAhead
	c.seen["served"], err = digestOf(stream)
	if err != nil {
		return err
	}

	if stream, err = c.stream(ctx, "Talk"); err != nil {
		return err
	}
	go func() {
		for i := range many {
			if stream.SendMsg(&echo{data: piece(i)}) != nil {
				return
			}
		}
		stream.CloseSend()
	}()
	c.seen["talked"], err = digestOf(stream)
	return err
}

func digestOf(stream grpc.ClientStream) (string, error) {
	sum := sha256.New()
	for count := 0; ; count++ {
		message := new(echo)
		if err := stream.RecvMsg(message); err == io.EOF {
			return fmt.Sprintf("%d %x", count, sum.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
		sum.Write(message.data)
	}
}

func (c caller) halfClosed() error {
	ctx, cancel := soon()
	defer cancel()
	stream, err := c.stream(ctx, "Talk")
	if err != nil {
		return err
	}
	if err = say(stream, &echo{text: "after", count: 3}); err != nil {
		return err
	}
	heard, err := hear(stream)
	if err != nil {
		return err
	}
	c.seen["after the client ended"] = len(heard)
	for _, name := range []string{"Talk", "Collect"} {
		if stream, err = c.stream(ctx, name); err != nil {
			return err
		}
		if err = stream.SendMsg(&echo{text: "last"}); err != nil {
			return err
		}
		if heard, err = hear(stream); err != nil {
			return err
		}
		c.seen["before the client ended, "+name] = len(heard)
	}
	return nil
}

func describe(err error, trailer metadata.MD) []string {
	told := status.Convert(err)
	lines := []string{told.Code().String(), told.Message()}
	for _, detail := range told.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			lines = append(lines, info.Reason, info.Domain, info.Metadata["thing"])
		}
	}
	return append(append(lines, trailer.Get("why")...), hex.EncodeToString([]byte(strings.Join(trailer.Get("why-bin"), ""))))
}

func (c caller) errors() error {
	ctx, cancel := soon()
	defer cancel()
	var trailer metadata.MD
	_, err := c.unary(ctx, &echo{text: "fail"}, grpc.Trailer(&trailer))
	c.seen["error"] = describe(err, trailer)
	stream, err := c.stream(ctx, "Serve")
	if err != nil {
		return err
	}
	if err = say(stream, &echo{text: "fail", count: 3}); err != nil {
		return err
	}
	heard, err := hear(stream)
	c.seen["error after"] = len(heard)
	c.seen["late error"] = describe(err, stream.Trailer())
	err = c.conn.Invoke(ctx, path+"Nothing", &echo{}, &echo{})
	c.seen["unknown"] = status.Code(err).String()
	_, err = c.unary(ctx, &echo{data: make([]byte, 5*mebibyte)})
	c.seen["too large"] = status.Code(err).String()
	return nil
}

// ends are those that come from this side: deadlines, and leaving.
func (c caller) ends() error {
	ctx, cancel := soon()
	answer, err := c.unary(ctx, &echo{text: "left"})
	cancel()
	if err != nil {
		return err
	}
	c.seen["left"] = answer.count > 20_000 && answer.count <= 40_000
	before, err := c.ask("stopped")
	if err != nil {
		return err
	}
	ctx, cancel = context.WithTimeout(context.Background(), 300*time.Millisecond)
	_, err = c.unary(ctx, &echo{text: "wait"})
	cancel()
	c.seen["deadline"] = status.Code(err).String()
	ctx, cancel = context.WithCancel(context.Background())
	stream, err := c.stream(ctx, "Serve")
	if err == nil {
		err = say(stream, &echo{text: "wait", count: 1})
	}
	if err == nil {
		err = stream.RecvMsg(new(echo))
	}
	cancel()
	if err != nil {
		return err
	}
	_, err = hear(stream)
	c.seen["cancel"] = status.Code(err).String()
	for range 400 {
		if after, err := c.ask("stopped"); err != nil || after-before == 2 {
			c.seen["told to stop"] = after - before
			return err
		}
		time.Sleep(25 * time.Millisecond)
	}
	return errors.New("the server was not told that its callers had left")
}

func (c caller) atOnce() error {
	ctx, cancel := soon()
	defer cancel()
	failed := make(chan error, 100)
	for i := range cap(failed) {
		go func() {
			answer, err := c.unary(ctx, &echo{count: int32(i), data: piece(i)[:10_000]})
			if err == nil && answer.count != int32(i) {
				err = status.Errorf(codes.Internal, "call %d was answered with %d", i, answer.count)
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			return err
		}
	}
	c.seen["at once"] = cap(failed)
	return nil
}

// bodies go by Go's own HTTP/2, which is no relation of grpc-go's.
func (c caller) bodies(address string, config *tls.Config) error {
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: config}
	base := "http://" + address
	transport.Protocols.SetUnencryptedHTTP2(config == nil)
	if config != nil {
		base = "https://" + address
		transport.Protocols.SetHTTP2(true)
	}
	client := &http.Client{Transport: transport, Timeout: 40 * time.Second}
	all := func() io.Reader {
		var readers []io.Reader
		for i := range many {
			readers = append(readers, strings.NewReader(string(piece(i))))
		}
		return io.MultiReader(readers...)
	}
	response, err := client.Post(base+"/digest", "application/octet-stream", all())
	if err != nil {
		return err
	}
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	c.seen["HTTP sent"] = response.Proto + " " + string(said)
	for path, body := range map[string]io.Reader{"/pieces": nil, "/back": all()} {
		if response, err = client.Post(base+path, "application/octet-stream", body); err != nil {
			return err
		}
		sum := sha256.New()
		count, err := io.Copy(sum, response.Body)
		if err != nil {
			return err
		}
		c.seen["HTTP "+path] = fmt.Sprintf("%s %d %x", response.Proto, count, sum.Sum(nil))
	}
	return nil
}
