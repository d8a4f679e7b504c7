/** Names of the model-specific registers that Xen puts into images. Source: asm/msr-index.h. */
const names: Readonly<Record<number, string>> = {
  0x48: 'SPEC_CTRL',
  0xce: 'PLATFORM_INFO',
  0x10a: 'ARCH_CAPABILITIES',
  0x140: 'MISC_FEATURES_ENABLES',
  0x6e1: 'PKRS',
  0xd90: 'BNDCFGS',
  0xda0: 'XSS',
  0xc0000103: 'TSC_AUX',
  0xc001011f: 'VIRT_SPEC_CTRL',
  0xc0011019: 'DR1_ADDRESS_MASK',
  0xc001101a: 'DR2_ADDRESS_MASK',
  0xc001101b: 'DR3_ADDRESS_MASK',
  0xc0011027: 'DR0_ADDRESS_MASK',
}

/** The register's name, or undefined for one that Xen does not put into images. */
export const msrName = (index: number): string | undefined => names[index]
