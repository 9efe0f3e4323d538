export const capture: any
export const explain: any
export const CaptureError: any
export const decode: any
export const instantiate: any
