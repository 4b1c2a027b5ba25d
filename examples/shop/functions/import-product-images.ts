// One step after the other: each is remembered, so a failure repeats only what had not succeeded.
import { pawl } from "../client.ts";

export const importProductImages = pawl.createFunction(
  { id: "import-product-images" },
  { event: "shop/product.imported" },
  async ({ event, step }) => {
    const uploads: string[] = [];
    for (const url of event.data.imageUrls) {
      uploads.push(
        await step.run("copy image", (from: string) => from.replace("http://", "s3://"), url),
      );
    }
    await step.run("save to product", () => ({
      productId: event.data.productId,
      images: uploads.length,
    }));
    return uploads;
  },
);
