"""The articles' clients, as their readers would write them: Python's requests, plain JSON, and no idea of Protobuf.

Does what they do against a gateway and a registry, and prints what it saw as JSON.
"""

import json
import sys
import time

try:
    import requests
except ModuleNotFoundError:  # every virtual environment has it within pip
    from pip._vendor import requests


class OrderServiceClient:
    """Talks to the orders over REST, synchronously."""

    def __init__(self, base_url):
        self.base_url = base_url
        self.timeout = 10

    def create_order(self, user_id, items):
        response = requests.post(
            f"{self.base_url}/api/orders",
            json={"user_id": user_id, "items": items},
            timeout=self.timeout,
        )
        response.raise_for_status()
        return response.json()

    def get_order(self, order_id):
        response = requests.get(f"{self.base_url}/api/orders/{order_id}", timeout=self.timeout)
        if response.status_code == 404:
            return None
        response.raise_for_status()
        return response.json()


class ServiceDiscovery:
    """Talks to the registry as to Consul."""

    def __init__(self, url):
        self.url = url

    def register(self, name, address, port):
        check = {"HTTP": f"http://{address}:{port}/health", "Interval": "10s", "Timeout": "2s"}
        payload = {"Name": name, "Address": address, "Port": port, "Check": check}
        return requests.put(f"{self.url}/v1/agent/service/register", json=payload, timeout=10).status_code

    def discover(self, name):
        response = requests.get(f"{self.url}/v1/health/service/{name}?passing=true", timeout=10)
        return [(each["Service"]["Address"], each["Service"]["Port"]) for each in response.json()]


def status_of(method, url, **kwargs):
    return requests.request(method, url, timeout=10, **kwargs).status_code


def main(gateway, registry):
    seen = {}
    users = f"{gateway}/api/users"
    created = requests.post(users, json={"name": "Alice", "email": "alice@example.com"}, timeout=10)
    user = created.json()
    seen["created"] = [created.status_code, created.headers["Location"], type(user["id"]).__name__]
    seen["found"] = requests.get(f"{users}/{user['id']}", timeout=10).json() == user
    changed = requests.put(f"{users}/{user['id']}", json={"name": "Alice B."}, timeout=10)
    seen["changed"] = [changed.status_code, changed.json()["name"], changed.headers["Deprecation"]]
    taken = {"name": "Bob", "email": "alice@example.com"}
    seen["taken"] = status_of("POST", users, json=taken)
    seen["too_long"] = status_of("POST", users, json={"name": "x" * 101, "email": "long@example.com"})

    orders = OrderServiceClient(gateway)
    order = orders.create_order(user["id"], [{"sku": "ABC", "qty": 2}])
    seen["order"] = {name: order[name] for name in ("user_id", "status", "items", "total")}
    again = orders.get_order(order["id"])
    for _ in range(200):
        if again["status"] != "pending":
            break
        time.sleep(0.05)
        again = orders.get_order(order["id"])
    seen["order_again"] = [again["status"], again["items"] == order["items"], again["total"] == order["total"]]
    seen["no_order"] = orders.get_order("00000000-0000-7000-8000-000000000000")
    try:
        orders.create_order(999_999, [{"sku": "ABC", "qty": 2}])
    except requests.exceptions.HTTPError as error:
        seen["no_user"] = [error.response.status_code, error.response.json()["message"]]

    overview = requests.get(f"{users}/{user['id']}/overview", timeout=10).json()
    seen["overview"] = [sorted(overview), [product["sku"] for product in overview["products"]]]

    seen["unknown_service"] = status_of("GET", f"{gateway}/api/warehouses/1")
    seen["wrong_method"] = status_of("DELETE", users)
    health = requests.get(f"{gateway}/health", timeout=10).json()
    seen["health"] = {name: service["status"] for name, service in health["services"].items()}
    seen["gone"] = [status_of("DELETE", f"{users}/{user['id']}"), status_of("GET", f"{users}/{user['id']}")]

    discovery = ServiceDiscovery(registry)
    host, port = gateway.removeprefix("http://").split(":")
    seen["registered"] = discovery.register("order-service", host, int(port))
    for _ in range(100):
        found = discovery.discover("order-service")
        if found:
            break
        time.sleep(0.05)
    seen["discovered"] = found == [(host, int(port))]
    print(json.dumps(seen))


main(*sys.argv[1:])
