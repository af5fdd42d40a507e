// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { demoOptions } from '../options/demo.ts';
import { DemoDirectory } from '../demo/demo-directory.ts';
import { runStory } from '../demo/story.ts';
import { EXIT } from '../exit-codes.ts';

const DEFAULT_UNITS = 3;

export async function demo({ options, session }: CommandInput<typeof demoOptions>): Promise<CommandResult> {
  const { data, units, image, headless, clean } = options;
  if (clean) {
    DemoDirectory.clean(data);
    session.output.verdict(`${data} is clean`);
    return { exit: EXIT.yes, document: { data } };
  }
  if (options.scene === 'custody') {
    return (await import('../demo/custody/scene.ts')).runCustodyScene(session, data);
  }
  if (options.scene === 'station') {
    return (await import('../demo/station/scene.ts')).runStationScene(session, data);
  }
  return runStory(session, { data, units: units ?? DEFAULT_UNITS, image, isHeadless: headless });
}
