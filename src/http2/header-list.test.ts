import { expect, test } from "vitest";
import { HeaderList } from "./header-list.ts";

const request = [":method", "GET", ":scheme", "https", ":path", "/a"];
const requestFault = (...more: string[]) => new HeaderList([...request, ...more]).requestFault;
const responseFault = (...fields: string[]) => new HeaderList(fields).responseFault;

test("plain requests, responses and trailers are let in", () => {
  expect(requestFault()).toBeUndefined();
  expect(
    requestFault(":authority", "x:80", "te", "trailers", "content-length", "5", "content-length", "5"),
  ).toBeUndefined();
  expect(requestFault("x", "", "y", "a b\tc\xff")).toBeUndefined();
  expect(new HeaderList([":method", "OPTIONS", ":scheme", "http", ":path", "*"]).requestFault).toBeUndefined();
  expect(new HeaderList([":method", "CONNECT", ":authority", "x:80"]).requestFault).toBeUndefined();
  expect(responseFault(":status", "200", "server", "x")).toBeUndefined();
  expect(new HeaderList(["grpc-status", "0"]).trailerFault).toBeUndefined();
  expect(new HeaderList([":status", "103"]).isInformational).toBe(true);
});

test.each([
  ["an upper-case name", ["X-Y", "1"]],
  ["an empty name", ["", "1"]],
  ["a name with a space", ["a b", "1"]],
  ["a pseudo-header after a regular one", ["a", "1", ":authority", "x"]],
  ["a pseudo-header twice", [":path", "/b"]],
  ["an unknown pseudo-header", [":what", "1"]],
  ["a response's pseudo-header", [":status", "200"]],
  ["extended CONNECT's pseudo-header", [":protocol", "websocket"]],
  ["connection", ["connection", "close"]],
  ["keep-alive", ["keep-alive", "1"]],
  ["proxy-connection", ["proxy-connection", "1"]],
  ["transfer-encoding", ["transfer-encoding", "chunked"]],
  ["upgrade", ["upgrade", "h2c"]],
  ["te other than trailers", ["te", "gzip"]],
  ["a line break in a value", ["a", "b\r\nc: d"]],
  ["a zero in a value", ["a", "\0"]],
  ["space before a value", ["a", " b"]],
  ["space after a value", ["a", "b\t"]],
  ["two lengths", ["content-length", "1", "content-length", "2"]],
  ["a length that is none", ["content-length", "+1"]],
  ["a host that is not the authority", [":authority", "a", "host", "b"]],
  ["user information", [":authority", "me@a"]],
])("a request with %s is malformed", (_name, fields) => {
  expect(requestFault(...fields)).toEqual(expect.any(String));
});

test.each([
  ["no method", [":scheme", "http", ":path", "/"]],
  ["no scheme", [":method", "GET", ":path", "/"]],
  ["no path", [":method", "GET", ":scheme", "http"]],
  ["an empty path", [":method", "GET", ":scheme", "http", ":path", ""]],
  ["a path that is none", [":method", "GET", ":scheme", "http", ":path", "x"]],
  ["CONNECT with a path", [":method", "CONNECT", ":authority", "x", ":path", "/"]],
  [
    "extended CONNECT",
    [":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", "x"],
  ],
])("a request with %s is malformed", (_name, fields) => {
  expect(new HeaderList(fields).requestFault).toEqual(expect.any(String));
});

test("responses need a status that is one, and trailers have no pseudo-header", () => {
  expect(responseFault("a", "1")).toBeDefined();
  expect(responseFault(":status", "20")).toBeDefined();
  expect(responseFault(":status", "101")).toBeDefined();
  expect(responseFault(":status", "200", ":path", "/")).toBeDefined();
  expect(new HeaderList([":status", "200"]).trailerFault).toBeDefined();
});
