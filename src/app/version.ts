/** The release this code belongs to; a test holds it against package.json. */
export const heddleVersion = "0.1.0";
