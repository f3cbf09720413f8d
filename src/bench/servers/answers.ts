import type { BytesValue } from "@bufbuild/protobuf/wkt";
import { sample, sampleUpdate, streamLength } from "../sample.ts";

/** The order service as Connect's users write it. */
export const orders = {
  getOrder: () => sample,
  async *watchOrder() {
    for (let i = 0; i < streamLength; i++) yield sampleUpdate;
  },
};

/** The echo. */
export const echoes: object = { echo: (message: BytesValue) => message };
