export const whereAmI = () => import.meta.url
