"""The measured scores as Markdown."""

DIGITS = {"psnr": 2, "kid768 x1000": 2}


def as_markdown(results):
    lines = []
    for name, result in results.items():
        metrics = list(next(iter(result["rows"].values())))
        lines += [f"**{name}** ({result['images']} images, `{result['preset']}`)", ""]
        lines += [
            "| | " + " | ".join(metrics) + " |",
            "|---" * (len(metrics) + 1) + "|",
        ]
        for system, figures in result["rows"].items():
            shown = [
                f"{value:.{DIGITS.get(key, 3)}f}" for key, value in figures.items()
            ]
            lines.append(f"| {system} | " + " | ".join(shown) + " |")
        if "kid768 of clean patches" in result:
            floor = result["kid768 of clean patches"]
            lines += [
                "",
                f"Clean patches against clean ones: KID-768 x1000 {floor:.2f}.",
            ]
        lines += ["", *evidence_as_markdown(result.get("evidence"))]
    return "\n".join(lines)


def evidence_as_markdown(found):
    if found is None:
        return []
    lines = ["| LPIPS, mean difference and 95 % interval | AlexNet | SqueezeNet |"]
    lines.append("|---|---|---|")
    for pair, metrics in found.items():
        if " - " in pair:
            cells = [
                f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
                for mean, low, high in metrics.values()
            ]
            lines.append(f"| {pair} | " + " | ".join(cells) + " |")
    for budget, metrics in found["frontier"].items():
        cells = [f"{value:.3f}, {system}" for value, system in metrics.values()]
        lines.append(f"| lowest within {budget} dB | " + " | ".join(cells) + " |")
    power = ", ".join(f"{k} {v:.2f}" for k, v in found["finest band"].items())
    ratio = found["squared error to one step's"].items()
    error = ", ".join(f"{k} {v:.2f}" for k, v in ratio)
    return [
        *lines,
        "",
        f"Power of the finest frequencies: {power}. Squared error to that of one step: "
        f"{error}.",
        "",
    ]
