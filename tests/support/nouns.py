"""The nouns that have lists of items, and how to make one more item of each."""

from collections.abc import Callable

from service.client import Client
from tests.support.training import line, straight

NOUNS = ["datasets", "models", "jobs"]
Create = Callable[[str], str]


def creating(client: Client) -> Create:
    """Return a function that makes one more item of a noun and returns its id."""
    model, dataset = straight(client).id, line(client).id

    def create(noun: str) -> str:
        match noun:
            case "datasets":
                return line(client).id
            case "models":
                return straight(client).id
            case _:
                return client.train(model, dataset, epochs=1).id

    return create
