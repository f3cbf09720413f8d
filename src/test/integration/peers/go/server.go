package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// bystander is what a server is asked about itself, or told, by unary calls.
var bystander struct {
	stopped, pulled atomic.Int32
	mutex           sync.Mutex
	gate            chan struct{}
}

func gate() chan struct{} {
	bystander.mutex.Lock()
	defer bystander.mutex.Unlock()
	return bystander.gate
}

func release() {
	bystander.mutex.Lock()
	defer bystander.mutex.Unlock()
	close(bystander.gate)
	bystander.gate = make(chan struct{})
}

func serve(cert, key string) error {
	bystander.gate = make(chan struct{})
	options := []grpc.ServerOption{grpc.ForceServerCodec(codec{})}
	bodies := &http.Server{Handler: http.HandlerFunc(answerBody), Protocols: new(http.Protocols)}
	grpcListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	bodiesListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serveBodies := func() error { return bodies.Serve(bodiesListener) }
	bodies.Protocols.SetUnencryptedHTTP2(true)
	if cert != "" {
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			return err
		}
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
		bodies.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
		bodies.Protocols.SetHTTP2(true)
		serveBodies = func() error { return bodies.ServeTLS(bodiesListener, "", "") }
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&description, struct{}{})
	go server.Serve(grpcListener)
	go serveBodies()
	fmt.Println(grpcListener.Addr(), bodiesListener.Addr())
	io.Copy(io.Discard, os.Stdin)
	server.Stop()
	return bodies.Close()
}

var description = grpc.ServiceDesc{
	ServiceName: "peers.v1.EchoService",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Serve", Handler: serveMany, ServerStreams: true},
		{StreamName: "Collect", Handler: collect, ClientStreams: true},
		{StreamName: "Talk", Handler: talk, ClientStreams: true, ServerStreams: true},
	},
}

func unary(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(echo)
	if err := decode(request); err != nil {
		return nil, err
	}
	switch request.text {
	case "fail":
		grpc.SetTrailer(ctx, why)
		return nil, failure()
	case "wait":
		return nil, untilStopped(ctx)
	case "left":
		deadline, _ := ctx.Deadline()
		return &echo{count: int32(time.Until(deadline).Milliseconds())}, nil
	case "stopped":
		return &echo{count: bystander.stopped.Load()}, nil
	case "pulled":
		return &echo{count: bystander.pulled.Load()}, nil
	case "release":
		release()
		return &echo{}, nil
	}
	grpc.SetHeader(ctx, repeated(ctx, "head-"))
	grpc.SetTrailer(ctx, repeated(ctx, "tail-"))
	return request, nil
}

func serveMany(_ any, stream grpc.ServerStream) error {
	request := new(echo)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	repeatBoth(stream)
	for i := range int(request.count) {
		answer := &echo{data: request.data, count: int32(i)}
		if request.text == "pieces" {
			answer.data = piece(i)
			bystander.pulled.Store(int32(i + 1))
		}
		if err := stream.SendMsg(answer); err != nil {
			return err
		}
	}
	switch request.text {
	case "fail":
		stream.SetTrailer(why)
		return failure()
	case "wait":
		return untilStopped(stream.Context())
	}
	return nil
}

func collect(_ any, stream grpc.ServerStream) error {
	repeatBoth(stream)
	sum := sha256.New()
	count, messages := 0, 0
	for {
		message := new(echo)
		if err := stream.RecvMsg(message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		sum.Write(message.data)
		count += len(message.data)
		messages++
		if message.text == "hold" {
			<-gate()
		}
		if message.text == "last" {
			break // though the peer may have more to say
		}
	}
	return stream.SendMsg(&echo{count: int32(count), text: fmt.Sprintf("%d %x", messages, sum.Sum(nil))})
}

func talk(_ any, stream grpc.ServerStream) error {
	repeatBoth(stream)
	after := 0
	for {
		message := new(echo)
		if err := stream.RecvMsg(message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
		switch message.text {
		case "after":
			after = int(message.count)
		case "last":
			return nil // though the peer may have more to say
		}
	}
	for i := range after {
		if err := stream.SendMsg(&echo{text: "after", count: int32(i)}); err != nil {
			return err
		}
	}
	return nil
}

var why = metadata.Pairs("why", "gone", "why-bin", "\x00\xff\x80")

func failure() error {
	told, err := status.New(codes.NotFound, "no thing 7: ünï").WithDetails(&errdetails.ErrorInfo{
		Reason: "THING_NOT_FOUND", Domain: "peers.v1", Metadata: map[string]string{"thing": "7"},
	})
	if err != nil {
		return err
	}
	return told.Err()
}

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	bystander.stopped.Add(1)
	return status.FromContextError(ctx.Err()).Err()
}

func repeatBoth(stream grpc.ServerStream) {
	stream.SetHeader(repeated(stream.Context(), "head-"))
	stream.SetTrailer(repeated(stream.Context(), "tail-"))
}

func repeated(ctx context.Context, prefix string) metadata.MD {
	made := metadata.MD{}
	received, _ := metadata.FromIncomingContext(ctx)
	for name, values := range received {
		if name == "plain" || name == "binary-bin" {
			made.Append(prefix+name, values...)
		}
	}
	return made
}

// answerBody is for Go's own HTTP/2: bodies.ts is its model.
func answerBody(response http.ResponseWriter, request *http.Request) {
	switch request.URL.Path {
	case "/digest":
		sum := sha256.New()
		bytes, _ := io.Copy(sum, request.Body)
		fmt.Fprintf(response, "%d %x", bytes, sum.Sum(nil))
	case "/pieces":
		for i := range many {
			response.Write(piece(i))
		}
	case "/back":
		io.Copy(response, request.Body)
	case "/version":
		fmt.Fprint(response, strings.TrimSpace(request.Proto))
	default:
		http.NotFound(response, request)
	}
}
