"""The CPU engine: finds the subject, composites and fills. No key, no GPU, no weights.

Pictures are RGB uint8 arrays of shape (H, W, 3); alphas and masks uint8 of shape (H, W).
"""
