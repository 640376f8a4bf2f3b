/** Fashion-MNIST: pieces of clothing. */
import type { DataSource } from "./data-source.ts";
import { mnistFamilySource } from "./mnist-family.ts";

/** Names of the classes of Fashion-MNIST. */
export const FASHION_CLASSES: readonly string[] = [
  "T-shirt/top",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "ankle boot",
];

/** Mean and deviation of the training pictures' bytes / 255. */
export const FASHION_STATISTICS = { mean: 0.286, std: 0.353 } as const;

/** Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747): 60,000 to train on and 10,000 to test with. */
export const fashionMnist: DataSource = mnistFamilySource({
  name: "fashion-mnist",
  title: "Fashion-MNIST",
  url: "https://github.com/zalandoresearch/fashion-mnist",
  sizeBytes: 30_878_645,
  licence: "MIT",
  obtain: "Get the four .gz files from https://github.com/zalandoresearch/fashion-mnist (data/fashion).",
  classNames: FASHION_CLASSES,
  ...FASHION_STATISTICS,
  checksums: {
    "train-images-idx3-ubyte.gz": { sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84" },
    "train-labels-idx1-ubyte.gz": { sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845" },
    "t10k-images-idx3-ubyte.gz": { sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073" },
    "t10k-labels-idx1-ubyte.gz": { sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5" },
    "train-images-idx3-ubyte": { sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888" },
    "train-labels-idx1-ubyte": { sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9" },
    "t10k-images-idx3-ubyte": { sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b" },
    "t10k-labels-idx1-ubyte": { sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34" },
  },
});
