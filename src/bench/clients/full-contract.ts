import { clone, create, createFileRegistry, type DescService, getExtension, setExtension } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptionsSchema, ServiceOptionsSchema } from "@bufbuild/protobuf/wkt";
import {
  HedgeSchema,
  method as methodOption,
  RetrySchema,
  ServicePolicySchema,
  service as serviceOption,
} from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";

/** The order service under a contract that leaves nothing out. */
export function withEverything(): DescService {
  const file = clone(FileDescriptorProtoSchema, OrderService.file.proto);
  const service = file.service.find(({ name }) => name === OrderService.name);
  const method = service?.method.find(({ name }) => name === OrderService.method.getOrder.name);
  if (service === undefined || method === undefined) throw new Error("the order service has lost its method");
  service.options ??= create(ServiceOptionsSchema);
  const rules = getExtension(service.options, serviceOption);
  setExtension(service.options, serviceOption, create(ServicePolicySchema, { ...rules, loadReports: true }));
  method.options ??= create(MethodOptionsSchema);
  const policy = getExtension(method.options, methodOption);
  policy.retry = create(RetrySchema, { perAttemptTimeout: { nanos: 250_000_000 } });
  policy.hedge = create(HedgeSchema, { after: { case: "afterPercentile", value: 95 } });
  setExtension(method.options, methodOption, policy);
  const made = createFileRegistry(file, (name) =>
    OrderService.file.dependencies.find((one) => one.proto.name === name),
  );
  const found = made.getService(OrderService.typeName);
  if (found === undefined) throw new Error("the made-up contract has lost its service");
  return found;
}
