"""Follows order events as somebody does who has never heard of Heddle: pika, a durable queue, JSON, acknowledgements."""

import json
import sys

import pika

url, queue, binding, count = sys.argv[1:]
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True)
channel.queue_bind(queue=queue, exchange="heddle.events", routing_key=binding)
channel.basic_qos(prefetch_count=10)
print("ready", flush=True)

seen = 0
for method, properties, body in channel.consume(queue):
    line = {
        "routingKey": method.routing_key,
        "deliveryMode": properties.delivery_mode,
        "contentType": properties.content_type,
        "messageId": properties.message_id,
        "subject": properties.headers["cloudEvents:subject"],
        "body": json.loads(body),
    }
    print(json.dumps(line), flush=True)
    channel.basic_ack(method.delivery_tag)
    seen += 1
    if seen == int(count):
        break
connection.close()
