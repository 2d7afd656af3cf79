/** Names a PyTorch user may look for in vain, and what to do instead; a test fails for one that exists after all. */
export const notSupported: readonly (readonly [names: readonly string[], why: string])[] = [
  [["complex64", "complex128", "fft", "stft"], "no complex numbers"],
  [
    ["bfloat16", "int8", "int16", "uint8"],
    "read from files as float32 and int32; not computed with",
  ],
  [["sparse_coo_tensor", "nested_tensor", "quantize_per_tensor"], "dense tensors only"],
  [
    ["linalg.svd", "linalg.eigh", "linalg.inv", "linalg.det", "linalg.solve", "cholesky"],
    "ONNX has no such operators; `nn.init.orthogonal_` computes its QR on the host",
  ],
  [["Conv3d", "ConvTranspose3d", "MaxPool3d", "BatchNorm3d"], "no three-dimensional layers"],
  [
    ["as_strided", "data_ptr", "stride", "is_contiguous"],
    "tensors are values, not views of memory",
  ],
  [["DataParallel", "DistributedDataParallel"], "one device at a time"],
  [["amp.autocast", "GradScaler"], "float16 is for storage"],
];
