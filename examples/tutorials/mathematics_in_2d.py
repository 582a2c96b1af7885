"""
Title: The mathematics in 2-D
Author: The keras_indi developers
Date created: 2026/11/25
Last modified: 2026/11/25
Description: Restoration of points in the plane, from the closed form to a trained network.
Accelerator: None
"""

r"""
## Images of two numbers

A photograph has millions of numbers, and nobody can draw the space it lives in. So we
look at "images" of two numbers, points in the plane, where everything can be drawn and
almost everything computed by hand. The example is that of the paper ([Delbracio &
Milanfar, 2023](https://arxiv.org/abs/2303.11435)). By the end you will have seen why one
step is an average, why many small steps end at something real, and that a trained network
does the same as the formula. It runs in a minute or two on any processor.
"""

import os
import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from matplotlib.animation import FuncAnimation, PillowWriter

import keras_indi
from keras_indi.models import InDI

# A smoke run checks this tutorial in seconds, with less training.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/mathematics_in_2d")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
PICTURES.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: fewer points and less training. The trained scores mean nothing.")

r"""
## Clean and degraded points

There are four clean points, and a clean image $x$ is any of them, each as likely as the
others. Think of them as four photographs, the only ones in the world.

Degrading does what cameras do: it loses information and adds noise,

$$y = H x + \sigma n, \qquad H = \begin{pmatrix} 1 & 0 \\ 0 & 0.1 \end{pmatrix},$$

with $n$ standard normal. $H$ keeps the first coordinate and shrinks the second to a tenth.
With $\sigma = 0.15$, a glance at $y$ separates left from right. But up and down, $\pm 0.05$,
have all but drowned in the noise: this is what restoring has to guess.

To Keras a point is an image of one pixel and two channels, of shape `(1, 1, 2)`.
"""

MODES = np.array([[0.5, 0.5], [0.5, -0.5], [-0.5, 0.5], [-0.5, -0.5]], "float32")
H = np.array([1.0, 0.1], "float32")  # the diagonal of the matrix
SIGMA = 0.15


def draw_pairs(count, seed):
    """Pairs (degraded, clean) of shape (count, 1, 1, 2)."""
    generator = np.random.default_rng(seed)
    clean = MODES[generator.integers(len(MODES), size=count)]
    noise = generator.standard_normal(clean.shape, dtype="float32")
    degraded = H * clean + SIGMA * noise
    return degraded[:, None, None], clean[:, None, None]


degraded, clean = draw_pairs(300 if SMOKE else 2000, seed=0)

"""
The degraded points make two clouds. Colour shows which clean point each came from, and in
the clouds up and down are mixed. (We draw all points a little scattered, to see how many
lie in one place.)
"""


def scatter(axis, points, title):
    """Draw points, coloured by their clean point, and the clean points."""
    colours = plt.cm.tab10(np.argmax(clean[:, 0, 0] @ MODES.T, axis=-1))
    points = np.reshape(points, (-1, 2))
    points = points + np.random.default_rng(0).normal(0, 0.025, points.shape)
    axis.scatter(*MODES.T, s=150, marker="x", c="black")
    axis.scatter(*points.T, s=3, alpha=0.5, c=colours[: len(points)])
    axis.set(xlim=(-1.1, 1.1), ylim=(-0.8, 0.8), aspect="equal", xticks=[], yticks=[])
    axis.set_title(title, fontsize=10)


figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
scatter(axes[0], clean, "clean: four points")
scatter(axes[1], degraded, "degraded: two clouds")
figure.savefig(PICTURES / "plane_pairs.png", dpi=90)
plt.show()

r"""
![Left, four clean points; right, two clouds of degraded
ones](pictures/plane_pairs.png)

## The best estimate, in closed form

Which answer is closest to $x$ on average, in squared distance? The mean of all $x$ that
could be behind what we see. On the path $x_t = (1 - t) x + t y$ this is the *posterior
mean* $F(x_t, t) = E[x \mid x_t]$, which a network is trained to approximate. Here we can
write it down. Put $y$ into the path:

$$x_t = (1 - t)\,x + t\,(H x + \sigma n) = H_t\, x + t \sigma n, \qquad
H_t = (1 - t) I + t H.$$

If $x$ is the clean point $c_i$, then $x_t$ is normal around $H_t c_i$ with standard
deviation $t \sigma$. By Bayes' rule the probability of $c_i$, given $x_t$, is that
density divided by the sum over all four: a softmax. And the mean of the four points under
these probabilities is

$$F(x_t, t) = \sum_i w_i\, c_i, \qquad
w = \operatorname{softmax}_i\left(-\frac{\|x_t - H_t c_i\|^2}{2\, t^2 \sigma^2}\right).$$

As a Keras layer it is a few lines. `InDI` takes any layer or model with these inputs as its
network: a dict of `images`, $x_t$, and `times`, $t$, with one $t$ for each image.
"""


class PosteriorMean(keras.layers.Layer):
    """F(x_t, t) of the four points, without any training."""

    def __init__(self, sigma=SIGMA):
        super().__init__()
        self.sigma = sigma

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1, 1))
        kept = (1 - times) + times * H  # H_t
        distances = inputs["images"][..., None, :] - kept * MODES
        squared = ops.sum(ops.square(distances), axis=-1)
        weights = ops.softmax(-squared / (2 * ops.square(times[..., 0] * self.sigma)))
        return ops.matmul(weights, MODES)


"""
`value_range=None` says that these images are no photographs, with values from black to
white, but any numbers.
"""

exact = InDI(PosteriorMean(), value_range=None, seed=0)

r"""
## One step averages, many steps decide

`restore` starts at $x_1 = y$ and moves from $t$ to a smaller $s$ by

$$x_s = \Big(1 - \frac{s}{t}\Big)\,F(x_t, t) + \frac{s}{t}\,x_t.$$

Where does this come from? On the path, $x_s = (1 - \frac{s}{t})\,x + \frac{s}{t}\,x_t$
for any $s < t$: take $y$ from $x_t = (1 - t) x + t y$ and put it into $x_s$. We do not
know $x$, and so replace it by our best estimate, $F$. (The paper's Proposition 1 says
that this is the best estimate of $x_s$.)
"""


def restore_and_draw(model, name, steps=(1, 4, 64)):
    """Restore all points in several numbers of steps, and draw where they end."""
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.9), layout="constrained")
    for axis, count in zip(axes, steps):
        ends = model.restore(degraded, num_steps=count)
        scatter(axis, ends, f"{count} steps" if count > 1 else "1 step")
    figure.savefig(PICTURES / f"{name}.png", dpi=90)
    plt.show()


restore_and_draw(exact, "plane_exact")

r"""
![Ends of the walk in 1, 4 and 64 steps by the closed form](pictures/plane_exact.png)

One step puts most points *between* up and down, where there is no clean point at all. That
is what "closest on average" means, and the reason why a photograph restored in one step is
smooth: the middle of two sharp edges is a blurred one. With many steps, every point ends
at a clean point.

Look at the colours, too: at each clean point there are some of the wrong one. The walk
chose, and where $y$ left it open, it chose wrongly. We measure both. The *distance* is the
mean squared distance to the true clean point, in which PSNR measures. *Real* is the part of
the ends that lie within 0.05 of any clean point: of results that could be a photograph.
"""


def measure(model):
    """Print distance and realism of the ends for several numbers of steps."""
    for steps in (1, 2, 4, 8, 16, 64):
        ends = model.restore(degraded, num_steps=steps)
        distance = np.mean(np.sum((ends - clean) ** 2, axis=-1))
        nearest = np.min(np.linalg.norm(ends - MODES, axis=-1), axis=-1)
        real = np.mean(nearest < 0.05)
        print(f"steps {steps:2d}: distance {distance:.3f}, real {100 * real:3.0f} %")


measure(exact)

r"""
Here is the trade-off in its purest form: with more steps the distance rises, and so does
the part that is real. Nothing is wrong with either end of the dial. A theorem (Blau &
Michaeli, 2018) says that no restorer has the best of both.

## Train a network

Of photographs nobody knows the posterior mean, so a network learns it, from pairs alone.
Ours has three hidden layers, and gets the point and its time side by side. It computes an
amount to *add* to $x_t$.
"""


def build_network():
    """A small network with the inputs that InDI gives: x_t and t."""
    images = keras.Input((1, 1, 2), name="images")
    times = keras.Input((), name="times")
    plane = ops.reshape(times, (-1, 1, 1, 1))
    x = ops.concatenate([images, plane, ops.log(plane + 0.02)], axis=-1)
    for _ in range(3):
        x = keras.layers.Dense(128, activation="gelu")(x)
    change = keras.layers.Dense(2)(x)
    return keras.Model({"images": images, "times": times}, images + change)


"""
The loss is the *squared* error, as its best answer is the mean. (For photographs the
package's default is the absolute error, as in the paper, whose best answer is the median:
of little difference there, but here the median of two points would be all of one.)

A training step draws a pair and a time, mixes $x_t$, and compares the network's estimate
with $x$. `LinearMixtureTime` draws $t = 1$ more often than other times: every walk begins
there.
"""

count, epochs = (5120, 1) if SMOKE else (200_000, 5)

keras.utils.set_random_seed(0)
trained = InDI(
    build_network(),
    time_distribution=keras_indi.schedules.LinearMixtureTime(1.0),
    value_range=None,
    seed=0,
)
rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * count // 256)
trained.compile(keras_indi.models.AveragedAdam(rate), loss="mean_squared_error")
trained.fit(*draw_pairs(count, seed=1), batch_size=256, epochs=epochs, verbose=2)

"""
Does the loss go to zero? It cannot. Where $x_t$ does not determine $x$, the best estimate still
errs. We know the best loss here: that of the closed form. `evaluate` uses the same times
for both, so they compare.
"""

test_pairs = draw_pairs(2000, seed=2)
exact.time_distribution = trained.time_distribution
exact.compile(loss="mean_squared_error")
exact_loss = exact.evaluate(*test_pairs, batch_size=500, verbose=0)
trained_loss = trained.evaluate(*test_pairs, batch_size=500, verbose=0)
print(f"closed form {exact_loss:.4f}, trained {trained_loss:.4f}")

"""
And so the trained network walks where the formula walks:
"""

restore_and_draw(trained, "plane_trained")
measure(trained)

r"""
![Ends of the walk in 1, 4 and 64 steps by the trained
network](pictures/plane_trained.png)

## The walk, animated

`return_trajectory=True` keeps all states of the walk. We draw those of both models, frame
by frame, and write them as a GIF.
"""

walks = {
    model_name: model.restore(degraded[:500], num_steps=32, return_trajectory=True)
    for model_name, model in (("closed form", exact), ("trained network", trained))
}
figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")


def draw_frame(index):
    """Draw the states after some steps; the last one stays for a while."""
    step = min(index, 32)
    for axis, (name, states) in zip(axes, walks.items()):
        axis.clear()
        scatter(axis, states[step], f"{name}, t = {1 - step / 32:.2f}")


animation = FuncAnimation(figure, draw_frame, frames=2 if SMOKE else 44)
animation.save(PICTURES / "plane_walk.gif", writer=PillowWriter(fps=10), dpi=70)
plt.close(figure)

r"""
![All points walk from the degraded clouds to the four clean points, by the closed form and
by the trained network](pictures/plane_walk.gif)

First all points drift towards the averages, as one step would do at once. Then, as $t$
falls, the weights of the softmax become more decided ($t^2 \sigma^2$ stands below the
distances), and each point turns to the clean one that it happens to be nearer to.

## In the limit, a flow

Take very small steps. The update divided by the step tends to an ordinary differential
equation, the *residual flow*,

$$\frac{dx_t}{dt} = \frac{x_t - F(x_t, t)}{t}.$$

Solvers for such equations then save steps. `"heun"` looks twice in each step, at its
beginning and at its end, and moves along the mean of the two. Where a walk *ends* shows
little here, as all roads lead to four points. So we look at the states halfway, at
$t = 0.5$, and how far they are from those of a walk in 1000 small steps, at an equal number
of calls of the network:
"""


def halfway(num_steps, sampler):
    """The states at t = 0.5."""
    states = exact.restore(
        degraded, num_steps, sampler, return_trajectory=True, verbose=0
    )
    return states[num_steps // 2]


limit = halfway(200 if SMOKE else 1000, "indi")
for steps in (4, 8, 16, 32):
    errors = [
        np.mean(np.linalg.norm(states - limit, axis=-1))
        for states in (halfway(steps, "indi"), halfway(steps // 2, "heun"))
    ]
    print(f"{steps // 2:2d} calls: {errors[0]:.4f} (indi), {errors[1]:.4f} (heun)")

r"""
## One degraded point, many answers

So far each $y$ has one end. But if $y$ lies right between up and down, both are equally
likely, and an honest restorer would say so. For that the path gets noise of its own,

$$x_t = (1 - t)\,x + t\,y + t\,\epsilon\,n,$$

and the walk starts at $y + \epsilon\,n$, with a fresh $n$ for each draw. The noise simply
adds to that of the degradation: the closed form stays, with $\sqrt{\sigma^2 +
\epsilon^2}$ for $\sigma$. We draw 500 restorations of three points, whose second
coordinates are 0, 0.1 and 0.3.
"""

EPSILON = 0.3
noisy_mean = PosteriorMean(np.hypot(SIGMA, EPSILON))
noisy = InDI(noisy_mean, noise_schedule=EPSILON, value_range=None)
count = 100 if SMOKE else 500

"""
With the degradation's noise alone, the probability of up follows from Bayes' rule. It is
the second coordinate of $F(y, 1)$, moved from $[-0.5, 0.5]$ to $[0, 1]$.
"""

for second in (0.0, 0.1, 0.3):
    point = np.array([[[0.5, second]]], "float32")
    draws = noisy.restore(point, num_steps=32, num_samples=count, seed=0)
    up = np.mean(draws[..., 1] > 0)
    bayes = float(ops.convert_to_numpy(exact(point[None]))[..., 1].item()) + 0.5
    print(f"{second}: up in {100 * up:.0f} % of the draws, Bayes {100 * bayes:.0f} %")

r"""
The draws take both answers where both are possible, and lean towards the likelier one. They
are no exact draws from Bayes' posterior: the walk looks at $y$ only through its noisy start,
and how often it goes up depends on $\epsilon$. More noise than this and it forgets $y$;
none, and it always gives the same answer. Keep this in mind when you read a spread of draws
as uncertainty.

## When not to restore

At a point between up and down nobody knows which is true, and a walk of many steps still ends
at one of them, without any sign of doubt. If something depends on the answer, do not restore:
keep the probabilities, look at many draws, or measure better.

## Time and result

Measured on two cores of a server CPU, TensorFlow: 53 seconds of processor time. (The processors
were busy with other programs, so that the clock showed six minutes.) By the closed form, one
step has a distance of 0.217 and no real point; 64 steps have 0.335, and all are real. The trained
network has 0.218 and none, 0.338 and 98 %. Its loss is 0.0657, that of the closed form 0.0655.

## What you take with you

- A network trained on pairs learns the average of all possible clean images, at every $t$.
- One step returns that average: closest in squared distance, and real nowhere.
- Many small steps end at a clean image: real, though not always the true one.
- The number of steps chooses in between, after training, and noise on the path gives
  several answers.

With photographs nothing else happens, in a space of more dimensions. Go on with *Restore a
photograph*, or *Train on your own pairs*.
"""
