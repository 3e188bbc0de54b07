"""The benchmark's training steps in PyTorch; names of parameters are those of the Swift models."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def images(x):
    """[batch, height, width, channels] as PyTorch wants them."""
    return x.permute(0, 3, 1, 2)


class Model(nn.Module):
    """A model with the loss that is compared, and one whole step."""

    def prepared(self, inputs, channels_last):
        """Inputs as the model reads them; called once."""
        return inputs

    def loss(self, inputs, fixed=False):
        raise NotImplementedError

    def make_optimizers(self, make):
        self.optimizer = make(self.parameters())

    def compiled(self):
        """Turns what a step runs into compiled code."""
        self.loss = torch.compile(self.loss)

    def step(self, inputs):
        self.optimizer.zero_grad()
        self.loss(inputs).backward()
        self.optimizer.step()


class ImageModel(Model):
    def prepared(self, inputs, channels_last):
        form = torch.channels_last if channels_last else torch.contiguous_format
        return {k: images(v).contiguous(memory_format=form) if v.dim() == 4 else v for k, v in inputs.items()}


class VAE(Model):
    """784-400-20, binary images, batch 128."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 400)
        self.mean = nn.Linear(400, 20)
        self.logVariance = nn.Linear(400, 20)
        self.decoderHidden = nn.Linear(20, 400)
        self.logits = nn.Linear(400, 784)

    def loss(self, inputs, fixed=False):
        x = inputs["x"]
        h = F.relu(self.hidden(x))
        mean, log_variance = self.mean(h), self.logVariance(h)
        noise = inputs["noise"] if fixed else torch.randn_like(mean)
        z = mean + torch.exp(0.5 * log_variance) * noise
        logits = self.logits(F.relu(self.decoderHidden(z)))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())
        return (reconstruction + divergence) / x.shape[0]


class MADE(Model):
    """784-500-784, masked, batch 100."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 500)
        self.logits = nn.Linear(500, 784)
        pixel, unit = torch.arange(784), torch.arange(500) % 783
        self.register_buffer("into", (unit[:, None] >= pixel[None, :]).float(), persistent=False)
        self.register_buffer("out", (pixel[:, None] > unit[None, :]).float(), persistent=False)

    def loss(self, inputs, fixed=False):
        x = inputs["x"]
        h = F.relu(F.linear(x, self.hidden.weight * self.into, self.hidden.bias))
        logits = F.linear(h, self.logits.weight * self.out, self.logits.bias)
        return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]


class PixelCNN(ImageModel):
    """Seven masked 3×3 layers of 32 channels and a 1×1 layer, 28×28, batch 64."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 32, 3, padding=1)
        self.layers = nn.ModuleList([nn.Conv2d(32, 32, 3, padding=1) for _ in range(6)])
        self.logits = nn.Conv2d(32, 1, 1)
        past = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]])
        present = past.clone()
        present[1, 1] = 1
        self.register_buffer("past", past, persistent=False)
        self.register_buffer("present", present, persistent=False)

    def loss(self, inputs, fixed=False):
        x = inputs["x"]
        h = F.relu(F.conv2d(x, self.first.weight * self.past, self.first.bias, padding=1))
        for layer in self.layers:
            h = F.relu(F.conv2d(h, layer.weight * self.present, layer.bias, padding=1))
        return F.binary_cross_entropy_with_logits(self.logits(h), x, reduction="sum") / x.shape[0]


class FlowStep(nn.Module):
    """Actnorm, an invertible 1×1 convolution and an affine coupling (Glow, arXiv:1807.03039)."""

    def __init__(self):
        super().__init__()
        self.logScale = nn.Parameter(torch.zeros(4))
        self.shift = nn.Parameter(torch.zeros(4))
        self.mixing = nn.Parameter(torch.eye(4))
        self.first = nn.Conv2d(2, 64, 3, padding=1)
        self.second = nn.Conv2d(64, 64, 1)
        self.last = nn.Conv2d(64, 4, 3, padding=1)

    def forward(self, x):
        pixels = x.shape[2] * x.shape[3]
        y = x * torch.exp(self.logScale)[:, None, None] + self.shift[:, None, None]
        y = F.conv2d(y, self.mixing.t()[:, :, None, None])
        change = pixels * (self.logScale.sum() + torch.linalg.slogdet(self.mixing).logabsdet)
        a, b = y[:, :2], y[:, 2:]
        h = self.last(F.relu(self.second(F.relu(self.first(a)))))
        log_scale, shift = torch.tanh(h[:, :2]), h[:, 2:]
        return torch.cat([a, b * torch.exp(log_scale) + shift], 1), change + log_scale.sum((1, 2, 3))


class Flow(ImageModel):
    """Four steps of Glow on squeezed images, 14×14×4, batch 64."""

    def __init__(self):
        super().__init__()
        self.steps = nn.ModuleList([FlowStep() for _ in range(4)])

    def loss(self, inputs, fixed=False):
        z, total = inputs["x"], 0
        for step in self.steps:
            z, change = step(z)
            total = total + change
        density = -0.5 * (z**2 + 1.8378770664093453).sum((1, 2, 3))
        return -(density + total).mean()


class Attention(nn.Module):
    """Causal self-attention of four heads."""

    def __init__(self):
        super().__init__()
        for name in ("queries", "keys", "values", "output"):
            setattr(self, name, nn.Linear(64, 64))

    def forward(self, x):
        q, k, v = (part(x).unflatten(2, (4, 16)).transpose(1, 2) for part in (self.queries, self.keys, self.values))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.firstNorm = nn.LayerNorm(64)
        self.attention = Attention()
        self.secondNorm = nn.LayerNorm(64)
        self.expand = nn.Linear(64, 256)
        self.contract = nn.Linear(256, 64)

    def forward(self, x):
        x = x + self.attention(self.firstNorm(x))
        return x + self.contract(F.gelu(self.expand(self.secondNorm(x))))


class Transformer(Model):
    """Four pre-norm layers, d 64, four heads, T 64, 65 symbols, batch 32."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(65, 64)
        self.positions = nn.Parameter(torch.zeros(64, 64))
        self.blocks = nn.ModuleList([Block() for _ in range(4)])
        self.norm = nn.LayerNorm(64)
        self.logits = nn.Linear(64, 65)

    def prepared(self, inputs, channels_last):
        return {k: v.long() for k, v in inputs.items()}

    def loss(self, inputs, fixed=False):
        x = self.tokens(inputs["x"]) + self.positions
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.logits(self.norm(x)).view(-1, 65), inputs["y"].view(-1))


class LSTM(Model):
    """One layer of 128 units over 64 steps of 65 symbols, batch 64."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(65, 128)
        self.recurrent = nn.LSTM(128, 128, batch_first=True)
        self.logits = nn.Linear(128, 65)

    prepared = Transformer.prepared

    def loss(self, inputs, fixed=False):
        h, _ = self.recurrent(self.tokens(inputs["x"]))
        return F.cross_entropy(self.logits(h).reshape(-1, 65), inputs["y"].view(-1))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(100, 7 * 7 * 128)
        self.norm1 = nn.BatchNorm2d(128)
        self.up1 = nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1)
        self.norm2 = nn.BatchNorm2d(64)
        self.up2 = nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1)

    def forward(self, z):
        h = images(self.project(z).view(-1, 7, 7, 128))
        h = self.up1(F.relu(self.norm1(h)))
        return torch.tanh(self.up2(F.relu(self.norm2(h))))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(1, 64, 4, stride=2, padding=1)
        self.down2 = nn.Conv2d(64, 128, 4, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(128)
        self.logit = nn.Linear(7 * 7 * 128, 1)

    def forward(self, x):
        h = F.leaky_relu(self.down1(x), 0.2)
        h = F.leaky_relu(self.norm(self.down2(h)), 0.2)
        return self.logit(h.permute(0, 2, 3, 1).flatten(1)).flatten()


class DCGAN(ImageModel):
    """One update of each network, 28×28, batch 64 (arXiv:1511.06434)."""

    def __init__(self):
        super().__init__()
        self.generator = Generator()
        self.discriminator = Discriminator()

    def discriminator_loss(self, x, fake):
        return F.softplus(-self.discriminator(x)).mean() + F.softplus(self.discriminator(fake)).mean()

    def generator_loss(self, fake):
        return F.softplus(-self.discriminator(fake)).mean()

    def loss(self, inputs, fixed=False):
        fake = self.generator(inputs["z"])
        return self.discriminator_loss(inputs["x"], fake) + self.generator_loss(fake)

    def make_optimizers(self, make):
        self.own = make(self.generator.parameters())
        self.critic = make(self.discriminator.parameters())

    def compiled(self):
        self.generator.compile()
        self.discriminator.compile()

    def step(self, inputs):
        fake = self.generator(torch.randn_like(inputs["z"]))
        self.critic.zero_grad()
        self.discriminator_loss(inputs["x"], fake.detach()).backward()
        self.critic.step()
        self.own.zero_grad()
        self.generator_loss(fake).backward(inputs=list(self.generator.parameters()))
        self.own.step()


MODELS = {
    "vae": VAE,
    "made": MADE,
    "pixelcnn": PixelCNN,
    "flow": Flow,
    "transformer": Transformer,
    "lstm": LSTM,
    "dcgan": DCGAN,
}
