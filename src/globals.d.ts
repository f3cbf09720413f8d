/** What `fetch` takes as headers: Connect's types name it, Node's types have it only as a parameter of `Headers`. */
type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;
