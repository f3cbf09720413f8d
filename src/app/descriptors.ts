/** Where `make generate` leaves the contracts of this project with their comments, in the source and in the package. */
export const heddleDescriptors = new URL("../../gen/descriptors.binpb", import.meta.url);
