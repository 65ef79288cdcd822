/* layers.h - layers that several models are made of: compositions of graph primitives whose
 * parameters are declared with the builder. Private to this library.
 *
 * Images are (chunk, height, width, channels); sequences (chunk, steps, width). */
#ifndef UB_LAYERS_H
#define UB_LAYERS_H

#include "systems/activations.h"
#include "systems/parametrization.h"

#define UB_WIDTH_LIMIT     1048576            /* units of a layer */
#define UB_DEPTH_LIMIT     256                /* layers */
#define UB_PARAMETER_LIMIT ((int64_t)1 << 28) /* 2 GiB a vector of parameters */

/* ---- reading data ---- */

/* The input (chunk, features) of an image dataset (channels, height, width). */
ub_node ub_image_input(struct ub_builder *b, ub_node input);
/* Square patches as a sequence, row by row of the grid: (chunk, patches, channels * patch^2), each
 * with its channels first, as PyTorch flattens a convolution's weights. */
ub_node ub_patch_input(struct ub_builder *b, ub_node input, int64_t patch);
/* Steps of reals: (chunk, steps, numbers a step); rows of images, each with all its channels. */
ub_node ub_step_input(struct ub_builder *b, ub_node input);
/* (chunk, steps, width): tokens through a table "embed.weight" (tokens, width) that starts
 * N(0, scale^2); steps of reals through a linear layer "embed". */
ub_node ub_sequence_input(struct ub_builder *b, ub_node input, int64_t width, double scale);
/* Steps of a dataset that is a sequence (tokens, or rank 2), or an image read row by row; 0: it is
 * none of these. Numbers a step in *each (1 for tokens). */
int64_t ub_sequence_steps(const struct ub_dataset *data, bool images, int64_t *each);
/* From (chunk, steps, width) to what the data asks for: every position, or the last. */
ub_node ub_sequence_output(struct ub_builder *b, ub_node x);

/* Checks; false with a message. */
bool ub_expect_vectors(const struct ub_dataset *data, struct ub_error *err); /* of any rank */
bool ub_expect_image(const struct ub_dataset *data, struct ub_error *err);
bool ub_expect_patches(const struct ub_dataset *data, int64_t patch, struct ub_error *err);
bool ub_expect_sequence(const struct ub_dataset *data, bool images, struct ub_error *err);
bool ub_expect_one_position(const struct ub_dataset *data, struct ub_error *err);
bool ub_expect_heads(int64_t width, int64_t heads, struct ub_error *err);
/* A model's parameters, about: at most UB_PARAMETER_LIMIT. */
bool ub_expect_parameters(double count, struct ub_error *err);

/* ---- layers ---- */

/* k x k convolution over `pad` = k / 2, weights "<name>.weight" (out, in, k, k), "<name>.bias". */
ub_node ub_conv_layer(struct ub_builder *b, const char *name, ub_node x, int64_t out,
                      int64_t kernel, int64_t stride, enum ub_role role, bool bias);

enum ub_norm { UB_NORM_NONE, UB_NORM_BATCH, UB_NORM_LAYER, UB_NORM_GROUP, UB_NORM_RMS };
extern const char *const ub_image_norms[]; /* choices of a `norm` option of image models */
enum ub_norm ub_norm_find(const char *name);
/* Whether a call's `groups` (default 4) and `ghost` (0) belong to its `norm`: where another norm
 * ignores them, two texts would name one model. */
bool ub_norm_options_fit(const struct ub_call *call, struct ub_error *err);
bool ub_norm_details_fit(const struct ub_call *call, struct ub_error *err); /* affine, epsilon */

/* Normalizes (x - mean) / sqrt(variance + epsilon), epsilon 1e-5 where the model has no option for
 * it, with (unless affine=false) gain "<name>.weight" and offset
 * "<name>.bias" (Ioffe and Szegedy 2015, 1502.03167; Ba et al. 2016, 1607.06450; Wu and He 2018,
 * 1803.08494; Zhang and Sennrich 2019, 1910.07467, without offset).
 * Images: batch: over samples and pixels of each channel, the samples being the whole chunk, or
 * runs of `ghost` of them (Hoffer et al. 2017, 1705.08741) when ghost > 0; layer: over all of one
 * sample; group: over `groups` groups of its channels. */
ub_node ub_norm_image(struct ub_builder *b, const char *name, ub_node x, enum ub_norm norm,
                      int64_t ghost, int64_t groups);
/* Over the last axis: layer or rms. */
ub_node ub_norm_last(struct ub_builder *b, const char *name, ub_node x, enum ub_norm norm);

/* ---- transformers ---- */

struct ub_attention {
    int64_t heads;
    bool causal, rotary;
    int64_t window; /* of causal ones: how many last tokens are seen, the present one included; 0:
                       all */
};
/* Multi-head self-attention (Vaswani et al. 2017, 1706.03762) of (chunk, steps, width): "qkv" and
 * "proj" under `prefix`. Rotary positions are those of Su et al. 2021, 2104.09864. */
ub_node ub_attention_layer(struct ub_builder *b, const char *prefix, ub_node x,
                           const struct ub_attention *attention);
/* Pre-norm block (Xiong et al. 2020, 2002.04745): x + attention(norm1 x), then x + mlp(norm2 x)
 * with four times the width. */
ub_node ub_transformer_block(struct ub_builder *b, const char *prefix, ub_node x,
                             const struct ub_attention *attention,
                             const struct ub_activation *activation);
/* Learned positions "position" (steps, width), N(0, 0.02^2), added. */
ub_node ub_add_positions(struct ub_builder *b, ub_node x);

/* "<prefix><name>" in a buffer of 64. */
const char *ub_layer_name(char out[64], const char *prefix, const char *name);

#endif
