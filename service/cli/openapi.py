"""`factcheck openapi`: what the service says of itself, without starting it."""

import click

from service.cli.effects import Effects, echo_json


@click.command("openapi")
@click.pass_obj
def openapi_command(effects: Effects) -> None:
    """Print the OpenAPI document of the service as it is set up."""
    from service.web.openapi.document import openapi_document  # noqa: PLC0415 - imports that most commands do without

    echo_json(openapi_document(effects.settings()), pretty=True)
