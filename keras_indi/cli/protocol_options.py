"""The options that say how to measure, the same in every command that does."""

import pathlib

import click

PROTOCOL = {
    "metrics": click.Option(
        ["--metrics"],
        metavar="NAME,...",
        help="psnr, ssim, lpips_alex, lpips_squeeze, lpips_vgg, fid2048, fid768, "
        "kid2048, kid768 (default: psnr,ssim)",
    ),
    "channel": click.Option(
        ["--channel"],
        type=click.Choice(["rgb", "y"]),
        help="y: PSNR and SSIM on the luma alone (default: rgb)",
    ),
    "crop_border": click.Option(
        ["--crop-border"],
        type=click.IntRange(min=0),
        metavar="PIXELS",
        help="border that PSNR and SSIM leave out (default: 0)",
    ),
    "weights": click.Option(
        ["--weights"],
        multiple=True,
        metavar="NETWORK=PATH",
        help="weights of alex, squeeze, vgg, inception2048 or inception768; may be "
        "given several times (default: downloaded)",
    ),
    "num_images": click.Option(
        ["--num-images"],
        type=click.IntRange(min=1),
        metavar="COUNT",
        help="the first images alone (default: all)",
    ),
    "seed": click.Option(
        ["--seed"],
        type=click.IntRange(min=0),
        help="of KID's subsets (default: 0)",
    ),
}
EARLIER = click.Option(
    ["--protocol"],
    type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
    metavar="JSON",
    help="measure as an earlier result did, instead of the options above",
)


def protocol_options(command):
    """Decorator of a click command: adds the options, and `--protocol`."""
    command.params += [*PROTOCOL.values(), EARLIER]
    return command


def make_protocol(options):
    """The `Protocol` that the options ask for; takes them out of the dict.

    Raises:
        ValueError: If it is not valid, or `--protocol` does not stand alone.
    """
    from keras_indi.evaluation import Protocol, Table

    earlier = options.pop("protocol")
    given = {name: options.pop(name) for name in PROTOCOL}
    given = {name: value for name, value in given.items() if value not in (None, ())}
    if earlier is not None:
        if given:
            raise ValueError(
                "`--protocol` says all; leave the other options of the protocol out. "
                f"Received: --protocol and {', '.join(given)}"
            )
        return Table.from_json(earlier).protocol
    if "metrics" in given:
        given["metrics"] = given["metrics"].split(",")
    if "weights" in given:
        pairs = [item.partition("=") for item in given["weights"]]
        given["weights"] = {network: path for network, _, path in pairs}
    return Protocol(**given)
